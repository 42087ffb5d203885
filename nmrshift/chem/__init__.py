"""Chemistry: text to molecules, solvents, symmetry, environments."""
