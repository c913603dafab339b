"""Files as a source: rows of Parquet and JSON Lines, read a page at a time, from any place on."""
