"""A search in words and pictures: for the terminal, for JSON, for the page."""
