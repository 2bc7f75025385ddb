"""Conditions: questions about a case with three answers, and the reasons for the answer.

A condition is made of clauses. A clause compares one thing that is known of a case (an answer of
the form, a fact that a department has established, an age, what an earlier stage came to) and is
met, not met or, where that thing is missing, unknown. `all`, `any` and `not` combine them by
Kleene's logic. Because clauses are values and not code, an answer always comes with the clauses
it rests on: what is missing, and what would change it.
"""
