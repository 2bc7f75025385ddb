"""The talent service: one joint-service ticket through every department responsible.

Where a behaviour lives (a slice imports only what stands below it):

    cli         the `talent` command
    wsgi        what gunicorn serves          worker     delivers events, runs timers
    local       `talent up`: everything on one machine, servers included
    app         puts the slices together
    notifications  tells the applicant what happened
    tickets     the joint ticket: filing, items, tasks, decisions, deadlines, timeline
    catalogue   offerings and bundles: read from packs, checked, published as versions
    enterprises employers, their agents, who is known to work for them
    materials   the documents of talents: examined, kept, handed out again
    calendars   working days and office hours   routing    the flow engine, pure
    identity    accounts, sign-in, sessions, persons and family, departments, posts, consents
    kernel      database, events, errors, crypto, HTTP: knows no domain

Inside a slice: `models` (tables), `rules` (pure decisions), `queries` (reads, and who may see),
`actions` (use cases), `schemas` and `routes` (HTTP), `handlers` (reactions to events).
"""
