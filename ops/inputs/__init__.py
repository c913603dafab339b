"""Rows of feeds: from files, and by RPC."""
