"""Notices within the app: what a talent is told of their tickets, until they have read it."""
