"""Dev run, with processes, files and pages: what batch.devrun leaves open."""
