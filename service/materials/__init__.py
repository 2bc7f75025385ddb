"""A talent's documents: looked at before they are kept, kept once, used for many applications."""
