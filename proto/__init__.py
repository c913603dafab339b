"""What the parts agree on: messages, records, values, keys, ports, errors, and the flows file."""
