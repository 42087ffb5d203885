"""Scores against measured spectra."""
