"""The documents as JSON, and as pages that load nothing from outside."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import flask
import orjson
import yaml
from flask import Flask, Response

from service.kernel.errors import NotFound
from service.kernel.http import documents
from service.kernel.http.blueprint import AUDIENCES, Blueprint

_ASSETS: Final = Path(str(files("flask_swagger_ui"))) / "dist"
_SHOWN: Final = ("swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png")
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'"
)
_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Talent service: {audience}</title>
<link rel="icon" href="/docs/assets/favicon-32x32.png">
<link rel="stylesheet" href="/docs/assets/swagger-ui.css">
</head>
<body>
<div id="page"></div>
<script src="/docs/assets/swagger-ui-bundle.js"></script>
<script src="/docs/assets/start.js" data-document="/docs/{audience}.json"></script>
</body>
</html>
"""
_START: Final = """SwaggerUIBundle({
  url: document.currentScript.dataset.document,
  dom_id: "#page",
  deepLinking: true,
  validatorUrl: null,
});
"""


def register(app: Flask, blueprints: Iterable[Blueprint]) -> None:
    """Serve `/docs/<audience>`, `/docs/<audience>.json` and the assets of the pages."""
    listed = list(blueprints)
    app.extensions["documents"] = cache(lambda: documents.build(app, listed))
    app.register_blueprint(pages)


pages: Final = flask.Blueprint("docs", __name__, url_prefix="/docs")


def as_yaml(written: dict[str, Any]) -> str:
    """A document as it is committed: stable from one run to the next, without aliases."""
    plain = orjson.loads(orjson.dumps(written))
    return yaml.dump(plain, Dumper=_Blocks, allow_unicode=True, sort_keys=False, width=100)


class _Blocks(yaml.SafeDumper):
    """Text of several lines stands in a block, as it would be read."""


def _block(dumper: _Blocks, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Blocks.add_representer(str, _block)


def document(app: Flask, audience: str) -> dict[str, Any]:
    """The document of an audience, built at the first call; raises `NotFound`."""
    if audience not in AUDIENCES:
        raise NotFound
    built: dict[str, dict[str, Any]] = app.extensions["documents"]()
    return built[audience]


@pages.get("/<string:audience>.json")
def get_document(audience: str) -> Response:
    """The document as JSON."""
    written = document(flask.current_app, audience)
    return Response(orjson.dumps(written), content_type="application/json")


@pages.get("/<string:audience>")
def get_page(audience: str) -> Response:
    """The document as a page to read and try."""
    if audience not in AUDIENCES:
        raise NotFound
    page = Response(_PAGE.format(audience=audience), content_type="text/html; charset=utf-8")
    page.headers["Content-Security-Policy"] = _POLICY
    return page


@pages.get("/assets/<string:name>")
def get_asset(name: str) -> Response:
    """What the pages load."""
    if name == "start.js":
        return Response(_START, content_type="text/javascript; charset=utf-8")
    if name not in _SHOWN:
        raise NotFound
    return flask.send_from_directory(_ASSETS, name, max_age=3600, conditional=False)
