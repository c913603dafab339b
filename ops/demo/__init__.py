"""The sample ads database, its editor, and a check that owes nothing to the product."""
