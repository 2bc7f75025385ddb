"""Rows of tickets, for those whose right to them was decided before."""
