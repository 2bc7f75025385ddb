"""Use cases of filing."""
