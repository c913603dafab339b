"""Handlers of the ads application: what is larger than one document."""
