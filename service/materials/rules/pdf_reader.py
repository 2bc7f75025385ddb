"""A program of its own that reads one PDF, because a PDF can be made to exhaust who reads it.

`pdf.py` runs it by its path, as `python -I pdf_reader.py MOST_PAGES`, with nothing in its
environment and within limits that the operating system holds; the file comes on standard input. It
writes the number of pages, or the code with which the file is refused, and imports nothing of the
service.
"""

from __future__ import annotations

import io
import re
import resource
import sys
from collections.abc import Iterator
from typing import Any, Final

import pikepdf

MEMORY: Final = 768 * 1024 * 1024
SECONDS: Final = 10
"""Of the processor. A file of 500 pages scanned by an office takes a tenth of a second."""
_UNPACKED: Final = 32 * 1024 * 1024
"""Of one stream of objects or of the table of objects; no other stream is unpacked."""
_TOO_MUCH: Final = "file_too_complicated"
_UNREADABLE: Final = (
    pikepdf.PikepdfError,
    AttributeError,
    KeyError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What the library raises for what is broken: its own, and those for what is of another type."""

# ISO 32000-2, 12.6.4: what does more than show another place. A link acts only when it is clicked.
_ACTIONS: Final = frozenset(
    f"/{name}"
    for name in (
        "JavaScript", "Launch", "ImportData", "SubmitForm", "GoToE", "Movie", "Rendition",
        "RichMediaExecute",
    )
)  # fmt: skip
_EMBEDDED: Final = frozenset({"/F", "/UF", "/DOS", "/Mac", "/Unix"})
# Names that may mean one of them: objects without them, which is nearly all, are not walked.
_SUSPECT: Final = re.compile(
    rb"/(?:JS|EF|XFA|RichMedia|"
    + b"|".join(name[1:].encode() for name in sorted(_ACTIONS))
    + rb")\b"
)


def read(content: bytes, most_pages: int) -> str:
    """The number of pages, or the code with which a PDF is refused."""
    try:
        with pikepdf.open(io.BytesIO(content), attempt_recovery=False) as pdf:
            pages = len(pdf.pages)
            if not pages:
                return "file_broken"
            if pages > most_pages:
                return "file_pages_too_many"
            return "file_does_something" if _does_something(pdf) else str(pages)
    except pikepdf.PasswordError:
        return "file_encrypted"
    except MemoryError:
        return _TOO_MUCH
    except _UNREADABLE as error:
        # What is encrypted for certificates has no password that could be wrong.
        return "file_encrypted" if "encrypt" in str(error).lower() else "file_broken"


def _does_something(pdf: pikepdf.Pdf) -> bool:
    """Whether a PDF has scripts, starts something, carries files or a form of another format."""
    for one in pdf.objects:
        if isinstance(one, pikepdf.Stream):
            one = one.stream_dict  # noqa: PLW2901 - its content is not read
        if _SUSPECT.search(one.unparse(resolved=True)) and any(map(_is_suspect, _within(one))):
            return True
    return False


def _within(first: Any) -> Iterator[Any]:
    """An object and every dictionary that stands in it itself, not by reference."""
    left = [first]
    while left:
        one = left.pop()
        if isinstance(one, pikepdf.Dictionary):
            yield one
            inner: Iterator[Any] = (value for _, value in one.items())
        elif isinstance(one, pikepdf.Array):
            inner = iter(one)
        else:
            continue
        left += [value for value in inner if not getattr(value, "is_indirect", False)]


def _is_suspect(one: Any) -> bool:
    files = one.get("/EF")
    return (
        str(one.get("/S")) in _ACTIONS
        or "/JS" in one
        or ("/XFA" in one and "/Fields" in one)
        or str(one.get("/Subtype")) == "/RichMedia"
        or (isinstance(files, pikepdf.Dictionary) and not _EMBEDDED.isdisjoint(files.keys()))
    )


def main() -> None:
    """Read what comes on standard input, within the limits, and say what it is."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    pikepdf.settings.set_qpdf_limits(flate_max_memory=_UNPACKED, run_length_max_memory=_UNPACKED)
    sys.stdout.write(read(sys.stdin.buffer.read(), int(sys.argv[1])))


if __name__ == "__main__":
    main()
