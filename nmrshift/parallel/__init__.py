"""Many molecules in parts, on this machine or on a cluster, each part written once."""
