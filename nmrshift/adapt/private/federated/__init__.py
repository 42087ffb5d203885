"""Private learning over a folder that laboratories and a coordinator exchange files by."""
