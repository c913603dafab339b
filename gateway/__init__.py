"""The gateway: what a source database commits becomes source units in the log. Reads proto only."""
