"""Like-for-like protocols: what a method makes of the same spectra, on the same test."""
