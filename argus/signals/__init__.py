"""Pull signals: what other services know about a key, fetched in batches, cached, bounded in age and time."""
