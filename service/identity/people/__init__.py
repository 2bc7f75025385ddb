"""Persons and their families."""
