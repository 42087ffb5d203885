"""Work in processes that can be killed: RDKit may hang or crash, and the network takes its time."""
