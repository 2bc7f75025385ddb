"""Ways to prove who somebody is, each behind one function."""
