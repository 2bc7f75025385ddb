from __future__ import annotations

import pytest

from tests.packs import publish, whole_pack


@pytest.fixture(scope="module")
def whole_district(database):
    """The demonstration pack as it is, documents included, in force in this module's database."""
    publish(database, whole_pack())
