"""Processes: engine, wiring, command line, settings, brokers, demo."""
