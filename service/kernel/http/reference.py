"""What is the same for every client and every district, for clients to fetch."""

from __future__ import annotations

from typing import Any, Final

from service.kernel.http import fields
from service.kernel.http.blueprint import AUDIENCES, Blueprint
from service.kernel.http.fields import Schema
from service.kernel.permissions import PUBLIC
from service.kernel.words import vocabulary

reference: Final = Blueprint(
    "reference", __name__, url_prefix="/v1", description="What the codes in all answers mean."
)


class WordOut(Schema):
    """A value as it stands in answers, and what to show for it."""

    value = fields.String(required=True)
    title = fields.Texts(required=True)


class EnumerationOut(Schema):
    """All values of one enumeration, in the order in which one comes to them."""

    name = fields.String(
        required=True,
        metadata={"description": "As `x-words` names it in the documents beside a property."},
    )
    values = fields.List(fields.Nested(WordOut), required=True)


class WordsOut(Schema):
    items = fields.List(fields.Nested(EnumerationOut), required=True)


_EXAMPLE: Final = {
    "items": [
        {
            "name": "light",
            "values": [
                {"value": value, "title": title} for value, title in vocabulary()["light"].items()
            ],
        }
    ]
}


@reference.get("/words", allow=PUBLIC, audiences=AUDIENCES)
@reference.response(200, WordsOut, example=_EXAMPLE)
def list_words() -> dict[str, Any]:
    """List the words for every value of every enumeration, in Chinese and English.

    They change with a release of the service only, so a client may keep them for a day.
    """
    return {
        "items": [
            {
                "name": name,
                "values": [{"value": value, "title": title} for value, title in words.items()],
            }
            for name, words in vocabulary().items()
        ]
    }
