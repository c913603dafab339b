"""Dev run: documents built with the running and with new code, at one snapshot, compared; nothing is written."""
