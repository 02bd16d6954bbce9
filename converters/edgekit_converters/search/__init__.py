"""What is tried, in which order, and what is shipped; what is kept between searches."""
