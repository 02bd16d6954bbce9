"""The chosen model, what it was checked with and what proves it, in one bundle."""
