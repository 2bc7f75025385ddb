"""The routing engine: which stages an item goes through, and what follows from each event.

Pure: values in, values out. No clock, no database, no framework, so that a flow can be checked
before it is published and an item's history can be replayed to the same state at any time.

`conditions` are questions with three answers. `flow` declares what an offering's flow is, `check`
says what is wrong with one. `events` is what can happen to an item, `context` what has to be
looked up then, `engine` what follows, `states` where that leads. `bundle` has the edges between
the items of a ticket.
"""
