"""Packs and what is published of them, as values: reading, checking, compiling."""
