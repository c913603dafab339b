"""SQLite as a source: triggers keep a change log in the user's own database file."""
