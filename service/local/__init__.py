"""One machine, one command: PostgreSQL, Valkey, web and worker under a small supervisor.

`up.up` is what `talent up` runs. `PostgresServer` and `ValkeyServer` stand alone as well: the
tests start theirs with them. Every child ends with the one who started it, however that went.
"""
