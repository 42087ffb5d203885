"""The search for an architecture: short pretrainings, judged by few spectra and by their speed."""
