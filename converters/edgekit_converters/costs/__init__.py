"""What a candidate costs on its target: measured, counted, or from a table of operations."""
