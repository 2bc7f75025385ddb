"""What names its item names the item's ticket with one key; jobs are looked for, not announced.

One key to the item of that ticket takes the place of one to the item and one to the ticket: each is
a look-up and a lock for every row that is written.
"""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_BELOW = ("edges", "tasks", "corrections", "clock_segments")
# A transaction that has announced something holds, from before its commit is on the disk until
# after it, a lock of which the whole server has one: what files and decides committed one by one.
_ANNOUNCED = "procrastinate_jobs_notify_queue_job_inserted_v1"


def upgrade() -> None:
    op.create_index("uq_items_ticket", "items", ["district_id", "ticket_id", "id"], unique=True)
    _drop_index("ix_items_ticket")
    for table in _BELOW:
        _drop(table, f"fk_{table}_district_id_item_id", f"fk_{table}_district_id_ticket_id")
        _refer(table, "items", ticket_id="ticket_id", item_id="id")
    # An item is of one ticket, so this holds what the former held, and leads to a ticket's edges.
    op.create_index(
        "uq_edges_ticket",
        "edges",
        ["district_id", "ticket_id", "item_id", "predecessor"],
        unique=True,
    )
    _drop("edges", "uq_edges_district_id_item_id_predecessor")
    _drop_index("ix_edges_ticket")
    op.execute(f"ALTER TABLE procrastinate_jobs DISABLE TRIGGER {_ANNOUNCED}")


def downgrade() -> None:
    op.execute(f"ALTER TABLE procrastinate_jobs ENABLE TRIGGER {_ANNOUNCED}")
    op.create_index("ix_edges_ticket", "edges", ["district_id", "ticket_id"])
    op.execute(
        "-- squawk-ignore disallowed-unique-constraint\n"
        "ALTER TABLE edges ADD CONSTRAINT uq_edges_district_id_item_id_predecessor"
        " UNIQUE (district_id, item_id, predecessor)"
    )
    _drop_index("uq_edges_ticket")
    for table in _BELOW:
        _drop(table, f"fk_{table}_district_id_ticket_id_item_id")
        _refer(table, "items", item_id="id")
        _refer(table, "tickets", ticket_id="id")
    op.create_index("ix_items_ticket", "items", ["district_id", "ticket_id"])
    _drop_index("uq_items_ticket")


def _refer(table: str, to: str, **columns: str) -> None:
    """The linter would have it validated in a second transaction; nothing is filed meanwhile."""
    own = ("district_id", *columns)
    op.execute(
        "-- squawk-ignore adding-foreign-key-constraint, constraint-missing-not-valid\n"
        f"ALTER TABLE {table} ADD CONSTRAINT fk_{table}_{'_'.join(own)}"
        f" FOREIGN KEY ({', '.join(own)})"
        f" REFERENCES {to} ({', '.join(('district_id', *columns.values()))})"
    )


def _drop(table: str, *constraints: str) -> None:
    dropped = ", ".join(f"DROP CONSTRAINT {name}" for name in constraints)
    op.execute(f"-- squawk-ignore ban-drop-constraint\nALTER TABLE {table} {dropped}")


def _drop_index(name: str) -> None:
    op.execute(f"-- squawk-ignore require-concurrent-index-deletion\nDROP INDEX {name}")
