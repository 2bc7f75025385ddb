"""The talent service: one joint-service ticket through every department responsible.

Where a behaviour lives (a slice imports only what stands below it):

    cli         the `talent` command
    commands    its commands, by what they are about
    wsgi        what gunicorn serves          worker     delivers events, runs timers
    web         the HTTP server: whole requests for the threads, whatever clients do
    local       `talent up`: everything on one machine, servers included
    app         puts the slices together
    runtime     settings turned into keys, storage, the table of subscribers and a database
    subscribers who reacts to which events: the one table
    notifications  tells the applicant what happened
    filing      drafts, the checks of a filing, filing
    applicants  what an applicant sees of their tickets, corrects, chooses, withdraws
    desk        what departments see and do: lists, claims, decisions
    employers   what an employer sees of tickets whose applicants let it follow
    tickets     the joint ticket itself: tables, acts, edges, clocks, effects, timers; no HTTP
    policies    who is eligible for what, and why
    catalogue   offerings and bundles: read from packs, checked, published as versions
    materials   the documents of talents: examined, kept, handed out again
    facts       what departments have established about persons: issued, shown, revoked
    authorities who lets their employer's agents file for them
    enterprises employers, their agents, who is known to work for them
    calendars   working days and office hours
    routing     conditions, flows, edges and the engine, pure
    identity    accounts and sign-in, people, departments and posts, consents
    kernel      database, events, errors, crypto, HTTP: knows no domain

Inside a slice: `models` (tables), `rules` (pure decisions), `queries` (reads, and who may see),
`actions` (use cases), `schemas` and `routes` (HTTP), `handlers` (reactions to events),
`vocabulary` (the kinds of events it emits).
"""
