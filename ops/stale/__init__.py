"""What waits too long: dropped by order or by policy, written down by key, healed later."""
