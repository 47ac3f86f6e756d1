"""Two-tower models: one protocol, a registry, a file for each family, training."""
