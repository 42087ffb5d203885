"""Molecules as arrays."""
