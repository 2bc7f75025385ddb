"""What a district offers, for everybody."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from service.catalogue import queries, schemas
from service.catalogue.rules import BundleDefinition, OfferingDefinition
from service.kernel import http
from service.kernel.db import Scope, set_scope

blp = http.Blueprint(
    "catalogue", __name__, url_prefix="/v1", description="What can be applied for, and how."
)
AUDIENCES = ("public", "talent")


def _looked_at(district: str | None = None) -> tuple[Session, str]:
    """The district asked for, by default the actor's, and a session that sees it."""
    session, own = http.session(), http.actor().district
    if district is None or district == own:
        return session, own
    set_scope(session, Scope(district))
    return session, district


@blp.get("/offerings", allow=http.PUBLIC, audiences=AUDIENCES)
@blp.arguments(schemas.DistrictQuery, location="query")
@blp.response(200, schemas.Offerings)
def list_offerings(query: dict[str, str]) -> dict[str, Any]:
    """List the offerings of a district."""
    return {"items": queries.list_offerings(*_looked_at(**query))}


@blp.get("/offerings/<string:code>", allow=http.PUBLIC, audiences=AUDIENCES)
@blp.arguments(schemas.DistrictQuery, location="query")
@blp.response(200, schemas.Offering)
def get_offering(query: dict[str, str], code: str) -> OfferingDefinition:
    """Read an offering: what it asks, who works on it, what is promised."""
    return queries.get_offering(*_looked_at(**query), code)


@blp.get("/bundles", allow=http.PUBLIC, audiences=AUDIENCES)
@blp.arguments(schemas.DistrictQuery, location="query")
@blp.response(200, schemas.Bundles)
def list_bundles(query: dict[str, str]) -> dict[str, Any]:
    """List the bundles of a district."""
    return {"items": queries.list_bundles(*_looked_at(**query))}


@blp.get("/bundles/<string:code>", allow=http.PUBLIC, audiences=AUDIENCES)
@blp.arguments(schemas.DistrictQuery, location="query")
@blp.response(200, schemas.Bundle)
def get_bundle(query: dict[str, str], code: str) -> BundleDefinition:
    """Read a bundle: its offerings, every section of the form once, the consents it takes."""
    return queries.get_bundle(*_looked_at(**query), code)
