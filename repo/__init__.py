"""The Storage Repo: snapshot-isolated transactions over versioned columns."""
