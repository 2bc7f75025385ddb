"""Use cases of applicants."""
