"""Reads of the catalogue: the definitions in force or filed under, and the form of a bundle."""
