"""Learning an encoder from structures without shifts."""
