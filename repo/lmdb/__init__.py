"""The embedded engine of the Repo, on LMDB."""
