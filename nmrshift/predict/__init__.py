"""From queries to answers."""
