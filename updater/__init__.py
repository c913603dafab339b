"""From source units to versioned rows: extract, guard, apply in one transaction."""
