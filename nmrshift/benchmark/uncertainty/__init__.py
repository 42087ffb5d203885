"""Ways to know how large an error is, compared on equal terms."""
