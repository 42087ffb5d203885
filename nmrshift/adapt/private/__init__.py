"""Learning from several contributors without giving any of them away."""
