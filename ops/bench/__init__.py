"""The bench: job J4, phase by phase, each figure measured at the reader."""
