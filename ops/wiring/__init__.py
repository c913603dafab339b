"""Composition roots: one function a role, and the process that runs them."""
