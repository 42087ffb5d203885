"""Reading molecules in processes that can be killed: RDKit may hang, and holds the lock."""
