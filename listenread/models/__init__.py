"""Two-tower models: one protocol, a registry, a file for each family, training."""

import os

# OpenMP reads this once, when torch is imported. Threads that spin while they wait take the core
# away from the job beside them, and both slow down several times over.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
