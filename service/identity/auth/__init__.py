"""Accounts, their credentials, sign-ins and tokens."""
