"""The OpenAPI documents, written and compared."""

from __future__ import annotations

from pathlib import Path

import click


@click.group()
def spec() -> None:
    """The OpenAPI documents in api_specs/."""


@spec.command()
def write() -> None:
    """Write the documents of all audiences."""
    for file, text in _written_documents().items():
        file.write_text(text, encoding="utf-8")


@spec.command("check")
def check_documents() -> None:
    """Fail where a committed document is not what the routes say."""
    for file, text in _written_documents().items():
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            raise click.ClickException(f"{file.name} is out of date: make spec")


def _written_documents() -> dict[Path, str]:
    from service.app import api_documents
    from service.kernel.http.documentation import as_yaml
    from service.kernel.settings import ROOT

    return {
        ROOT / "api_specs" / f"{audience}.yaml": as_yaml(document)
        for audience, document in api_documents().items()
    }
