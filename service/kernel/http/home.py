"""The page at `/`: what runs here, where it is described, and how one signs in to try it."""

from __future__ import annotations

from html import escape
from typing import Final

import flask
from flask import Flask, Response
from werkzeug import Response as Redirection

from service.kernel import messages
from service.kernel.http.blueprint import AUDIENCES
from service.kernel.http.context import runtime
from service.kernel.settings import WechatMode

_POLICY: Final = "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'"
_PAGE: Final = """<!doctype html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="/home.css">
</head>
<body>
<main>
{content}
</main>
</body>
</html>
"""
_STYLE: Final = """body { margin: 0; font: 1rem/1.6 system-ui, sans-serif; color: #1a1a1a; }
main { max-width: 44rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; }
h2 { font-size: 1.1rem; margin-top: 2rem; }
p { margin: 0.2rem 0; }
p[lang=en] { color: #555; }
pre { padding: 0.75rem; background: #f4f4f4; overflow-x: auto; }
a { color: #0b57d0; }
"""
_TALENT: Final = """curl -s {root}v1/auth/wechat -H 'Content-Type: application/json' \\
  -d '{{"code": "demo:王小明"}}'"""
_STAFF: Final = """curl -s {root}v1/auth/password -H 'Content-Type: application/json' \\
  -d '{{"username": "clerk.construction", "password": "…"}}'"""

pages: Final = flask.Blueprint("home", __name__)


def register(app: Flask) -> None:
    """Serve `/`, and lead there whoever looks for documentation where none is."""
    app.register_blueprint(pages)


@pages.get("/")
def get_home() -> Response:
    """Documentation and health; in demonstration mode also how to sign in."""
    content = [f"<h1>{escape(_both('home_title', ' · '))}</h1>", _said("home_lead")]
    content += [_heading("home_documents"), *map(_document, AUDIENCES)]
    settings = runtime().settings
    if settings.wechat_mode is WechatMode.DEMO and not settings.production:
        root = flask.request.host_url
        content += [_heading("home_trying"), _said("home_trying_talent"), _typed(_TALENT, root)]
        content += [_said("home_trying_staff"), _typed(_STAFF, root)]
    content += [_heading("home_health"), _link("/livez"), _link("/readyz")]
    page = _PAGE.format(title=escape(_both("home_title", " · ")), content="\n".join(content))
    answer = Response(page, content_type="text/html; charset=utf-8")
    answer.headers["Content-Security-Policy"] = _POLICY
    return answer


@pages.get("/home.css")
def get_style() -> Response:
    """How the page looks; the policy of the page allows no style of its own."""
    return Response(_STYLE, content_type="text/css; charset=utf-8")


@pages.get("/docs")
@pages.get("/docs/")
@pages.get("/v1")
@pages.get("/v1/")
def lead_home() -> Redirection:
    """Nothing is here itself, but people look here first."""
    return flask.redirect("/")


def _both(code: str, between: str) -> str:
    return between.join(messages.say(code, language) for language in messages.LANGUAGES)


def _said(code: str) -> str:
    """The words of a code, a paragraph in each language."""
    words = {language: escape(messages.say(code, language)) for language in messages.LANGUAGES}
    return f'<p>{words["zh"]}</p>\n<p lang="en">{words["en"]}</p>'


def _heading(code: str) -> str:
    return f"<h2>{escape(_both(code, ' · '))}</h2>"


def _document(audience: str) -> str:
    words = escape(_both(f"home_docs_{audience}", " · "))
    machine = f'<a href="/docs/{audience}.json">OpenAPI</a>'
    return f'<p><a href="/docs/{audience}">{words}</a> ({machine})</p>'


def _link(path: str) -> str:
    return f'<p><a href="{path}">{path}</a></p>'


def _typed(command: str, root: str) -> str:
    return f"<pre>{escape(command.format(root=root))}</pre>"
