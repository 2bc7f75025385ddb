"""Drafts, the checks of a filing, and filing: everything or nothing, once per key."""
