"""The bench: job J4 on the sample application, phase by phase, each figure measured at the reader."""
