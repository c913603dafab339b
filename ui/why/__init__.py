"""Why is this document (not) served? Rules over facts, in order; the first that blocks is the answer."""
