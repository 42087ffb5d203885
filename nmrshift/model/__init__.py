"""The network and its artifact."""
