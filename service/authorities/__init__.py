"""Authorities: employees let their employer's agents file for them, and take it back."""
