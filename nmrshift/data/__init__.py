"""Shift records: reading, checking, splitting."""
