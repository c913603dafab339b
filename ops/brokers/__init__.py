"""Adapters of the log port: embedded (LMDB), and an in-memory twin for tests."""
