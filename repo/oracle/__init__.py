"""The timestamp oracle: who gives out timestamps, finds conflicts, decides what is committed."""
