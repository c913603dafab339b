"""The Storage Repo on HBase."""
