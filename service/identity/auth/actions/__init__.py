"""Use cases of accounts and sign-in."""
