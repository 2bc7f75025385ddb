"""What can be done with packs: load, publish, compare, export, and describe their format."""
