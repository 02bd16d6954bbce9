"""What is done to a model, as data (`recipe`), and how it is done (`make`, step by step)."""
