"""The engine that drives processors: lanes, retries, positions, one loop a process, a doorbell between processes."""
