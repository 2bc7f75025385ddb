"""Who signs in learns which calendar is the newest, in the statement that says who they are."""

import re
from pathlib import Path

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_FOLDER = Path(__file__).parents[1]
_FUNCTION = "identity_session(uuid, uuid, text, timestamptz)"


def upgrade() -> None:
    """Who still runs the version before finds the columns that it names: one more is there."""
    op.execute(f"-- squawk-ignore ban-drop-function\nDROP FUNCTION {_FUNCTION}")
    op.execute((_FOLDER / "sign_in.sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    op.execute(f"DROP FUNCTION {_FUNCTION}")
    op.execute(_former())
    op.execute(f"REVOKE ALL ON FUNCTION {_FUNCTION} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {_FUNCTION} TO talent_app")


def _former() -> str:
    """The function as 0022 made it."""
    found = re.search(
        r"^CREATE OR REPLACE (FUNCTION identity_session\(.*?^\$\$;)",
        (_FOLDER / "families.sql").read_text(encoding="utf-8"),
        re.DOTALL | re.MULTILINE,
    )
    if found is None:
        raise LookupError("identity_session")
    return f"CREATE {found[1]}"
