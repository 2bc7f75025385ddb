"""The tables of tickets. The row says what is; history stands beside it, in the events."""
