"""Files of molecules in, predictions out."""
