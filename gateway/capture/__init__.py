"""Capture: the port that a source implements, and its technologies."""
