"""Departments and the posts that people hold in them."""
