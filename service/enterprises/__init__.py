"""Employers: who acts for them, and who is known to work for them."""
