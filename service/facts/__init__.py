"""Verified facts: what departments have established about persons, so that nobody asks twice."""
