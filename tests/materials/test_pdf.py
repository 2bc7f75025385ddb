"""PDF files as they are made to be refused, and as they have to be taken."""

from __future__ import annotations

import io
import time
import zlib
from dataclasses import replace

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Encryption, Name, ObjectStreamMode, Pdf, String

from service.kernel import errors
from service.materials.rules import examine
from service.materials.rules.pdf_reader import read
from tests.materials.files import docx, package
from tests.materials.files import pdf as by_hand
from tests.materials.handing_in import LIMITS

pytestmark = pytest.mark.usefixtures("read_apart")

USER = [
    Encryption(user="u", owner="o", R=2, aes=False, metadata=False),
    Encryption(user="u", owner="o", R=3, aes=False, metadata=False),
    Encryption(user="u", owner="o", R=4),
    Encryption(user="u", owner="o", R=6),
]
OWNER = [
    Encryption(user="", owner="o", R=2, aes=False, metadata=False),
    Encryption(user="", owner="o", R=3, aes=False, metadata=False),
    Encryption(user="", owner="o", R=4),
    Encryption(user="", owner="o", R=6),
]
PACKED = [ObjectStreamMode.disable, ObjectStreamMode.generate]


def made(pages=1, change=lambda _pdf: None, **saved):
    """A PDF that a library writes."""
    made_pdf, file = Pdf.new(), io.BytesIO()
    for _ in range(pages):
        made_pdf.add_blank_page()
    change(made_pdf)
    made_pdf.save(file, **saved)
    return file.getvalue()


def plain(*objects):
    """A PDF of these objects, the first of which is its root, with a table that is right."""
    parts, places, at = [b"%PDF-1.7\n"], [], 9
    for number, one in enumerate(objects, 1):
        places.append(at)
        parts.append(b"%d 0 obj\n%b\nendobj\n" % (number, one))
        at += len(parts[-1])
    parts += [b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)]
    parts += [b"%010d 00000 n \n" % place for place in places]
    parts += [b"trailer << /Size %d /Root 1 0 R >>\n" % (len(objects) + 1)]
    return b"".join([*parts, b"startxref\n%d\n%%%%EOF\n" % at])


ROOT = b"<< /Type /Catalog /Pages 2 0 R >>"
PAGES = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
PAGE = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>"


def code_of(content, limits=LIMITS):
    try:
        examined = examine("a.pdf", content, limits)
    except errors.Invalid as problem:
        return problem.code
    assert examined.content == content, "a PDF is kept as it is"
    return None


@pytest.mark.parametrize("packed", PACKED)
@pytest.mark.parametrize("encryption", USER, ids=lambda one: f"R{one.R}")
def test_what_needs_a_password_is_refused(encryption, packed):
    assert code_of(made(encryption=encryption, object_stream_mode=packed)) == "file_encrypted"


@pytest.mark.parametrize("packed", PACKED)
@pytest.mark.parametrize("encryption", OWNER, ids=lambda one: f"R{one.R}")
def test_what_everybody_may_open_is_taken_as_it_is(encryption, packed):
    content = made(3, encryption=encryption, object_stream_mode=packed)
    assert examine("a.pdf", content, LIMITS).pages == 3
    assert code_of(content) is None


def test_what_is_encrypted_for_certificates_is_refused_as_encrypted():
    content = plain(ROOT, PAGES, PAGE)
    handler = b"/Encrypt << /Filter /Adobe.PubSec /V 4 >> /ID [<00> <00>] /Root"
    assert code_of(content.replace(b"/Root", handler)) == "file_encrypted"


@pytest.mark.parametrize("packed", PACKED)
@pytest.mark.parametrize("pages", [1, 7, 10])
def test_pages_are_counted_however_they_are_packed(pages, packed):
    content = made(pages, object_stream_mode=packed)
    assert examine("a.pdf", content, LIMITS).pages == pages
    assert code_of(content, replace(LIMITS, pages=pages - 1)) == "file_pages_too_many"


def with_startxref(place):
    content = made(2)
    return content[: content.rindex(b"startxref")] + b"startxref\n%d\n%%%%EOF\n" % place


@pytest.mark.parametrize(
    "content",
    [
        b"%PDF-1.4\nstartxref\n0\n%%EOF",
        b"%PDF-1.4\n<html><body>x</body></html>\nstartxref\n0\n%%EOF",
        made(0),
        with_startxref(17),
        with_startxref(10**9),
        plain(b"<< /Type /Catalog >>"),
        plain(b"<< /Type /Catalog /Pages 3 0 R >>", PAGES),
        plain(ROOT, b"<< /Type /Pages /Kids [] /Count 4 >>"),
        plain(ROOT, b"<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 1 >>"),
        plain(ROOT, b"<< /Type /Pages /Kids [<html>] /Count 1 >>"),
        plain(b"[" * 600 + b"]" * 600, PAGES, PAGE),
    ],
    ids=range(11),
)
def test_what_only_looks_like_a_pdf_is_broken(content):
    assert code_of(content) == "file_broken"


def script(of):
    of.Root.OpenAction = Dictionary(S=Name.JavaScript, JS=String("app.alert(1)"))


def script_by_name(of):
    action = of.make_indirect(Dictionary(S=Name.JavaScript, JS=of.make_stream(b"app.alert(1)")))
    of.Root.Names = Dictionary(JavaScript=Dictionary(Names=Array([String("a"), action])))


def script_of_a_field(of):
    field = Dictionary(AA=Dictionary(F=Dictionary(S=Name.JavaScript, JS=String("x"))))
    of.Root.AcroForm = Dictionary(Fields=Array([of.make_indirect(field)]))


def annotated(of, **about):
    of.pages[0].Annots = Array([of.make_indirect(Dictionary(Type=Name.Annot, **about))])


def launch(of):
    action = Dictionary(S=Name.Launch, F=String("cmd.exe"))
    annotated(of, Subtype=Name.Link, A=action)


def launch_after_a_link(of):
    first = Dictionary(S=Name.GoTo, Next=Dictionary(S=Name.Launch, F=String("cmd.exe")))
    annotated(of, Subtype=Name.Link, A=first)


def submit(of):
    of.pages[0].AA = Dictionary(O=Dictionary(S=Name.SubmitForm, F=String("http://evil")))


def embedded(of):
    of.attachments["a.exe"] = b"MZ"


def attached(of):
    file = Dictionary(Type=Name.Filespec, EF=Dictionary(F=of.make_stream(b"MZ")))
    annotated(of, Subtype=Name.FileAttachment, FS=of.make_indirect(file))


def form_of_another_format(of):
    of.Root.AcroForm = Dictionary(Fields=Array([]), XFA=of.make_stream(b"<xdp/>"))


def rich_media(of):
    annotated(of, Subtype=Name.RichMedia)


@pytest.mark.parametrize("packed", PACKED)
@pytest.mark.parametrize(
    "change",
    [
        script, script_by_name, script_of_a_field, launch, launch_after_a_link, submit, embedded,
        attached, form_of_another_format, rich_media,
    ],
)  # fmt: skip
def test_what_does_something_is_refused(change, packed):
    assert code_of(made(1, change, object_stream_mode=packed)) == "file_does_something"


def test_a_script_is_found_whatever_its_name_is_written_as():
    root = b"<< /Type /Catalog /Pages 2 0 R /OpenAction << /S /J#61vaScript /J#53 (x) >> >>"
    assert code_of(plain(root, PAGES, PAGE)) == "file_does_something"


def harmless(of):
    """Opens at a page, has links, a form, a name and a text that only look like more."""
    of.Root.OpenAction = Array([of.pages[0].obj, Name.Fit])
    of.Root.AcroForm = Dictionary(Fields=Array([]))
    of.pages[0].Resources = Dictionary(Font=Dictionary(EF=Dictionary(Type=Name.Font)))
    of.docinfo["/Title"] = String("see /JS and /Launch")
    annotated(of, Subtype=Name.Link, A=Dictionary(S=Name.URI, URI=String("https://a.cn")))


@pytest.mark.parametrize("packed", PACKED)
def test_what_does_nothing_is_taken(packed):
    assert code_of(made(2, harmless, object_stream_mode=packed)) is None


@pytest.mark.parametrize("behind", [b"", b"\n%", b"\r\n"])
@pytest.mark.parametrize("archive", [docx(), package({"a.exe": "MZ"})], ids=["office", "zip"])
def test_an_archive_in_a_pdf_is_refused_wherever_it_lies(archive, behind):
    """Readers of zip look for its end from behind and do not mind what follows it."""
    assert code_of(by_hand(middle=archive + behind + b"\n")) == "file_of_two_types"


@pytest.mark.parametrize(
    "mark", [b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07\x00", b"Rar!\x1a\x07\x01\x00"]
)
def test_other_archives_are_seen_too(mark):
    assert code_of(by_hand(middle=mark + b"\0" * 40 + b"\n")) == "file_of_two_types"


def objects_unpacked_to(size):
    """A PDF whose objects lie in a stream that is as large as this when it is unpacked."""
    inner = [(1, ROOT), (2, PAGES), (3, PAGE)]
    at, head, body = 0, b"", b""
    for number, one in inner:
        head += b"%d %d " % (number, at)
        body += one + b" "
        at = len(body)
    packed = zlib.compress(head + body + b" " * size, 9)
    out = (
        b"%PDF-1.7\n4 0 obj\n<< /Type /ObjStm /N 3 /First "
        + b"%d /Filter /FlateDecode /Length" % len(head)
    )
    out += b" %d >>\nstream\n%b\nendstream\nendobj\n" % (len(packed), packed)
    rows = b"\0\0\0\0\0\xff" + b"".join(b"\2\0\0\0\4" + bytes([place]) for place in range(3))
    rows += b"\1" + (9).to_bytes(4, "big") + b"\0" + b"\1" + len(out).to_bytes(4, "big") + b"\0"
    table = b"<< /Type /XRef /Size 6 /W [1 4 1] /Root 1 0 R /Length %d >>" % len(rows)
    return out + b"5 0 obj\n%b\nstream\n%b\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % (
        table, rows, len(out)
    )  # fmt: skip


def test_objects_that_are_packed_are_read_and_a_bomb_of_them_is_not():
    assert code_of(objects_unpacked_to(100)) is None
    bomb = objects_unpacked_to(2**28)
    assert len(bomb) < 2**19
    began = time.perf_counter()
    assert code_of(bomb) in {"file_broken", "file_too_complicated"}
    assert time.perf_counter() - began < 10


@pytest.mark.slow
def test_what_takes_all_memory_takes_that_of_the_reader_alone():
    content = plain(b"<< /A [" + b"<<>>" * (4 * 2**20) + b"] >>", PAGES, PAGE)
    began = time.perf_counter()
    assert code_of(content, replace(LIMITS, size=2**25)) in {"file_broken", "file_too_complicated"}
    assert time.perf_counter() - began < 25


def test_many_ends_of_packages_are_not_looked_at_one_by_one():
    """Each would be followed to where its directory might begin."""
    content = by_hand(middle=b"PK\5\6" * 5_000_000)
    began = time.process_time()
    assert code_of(content, replace(LIMITS, size=2**25)) == "file_of_two_types"
    assert time.process_time() - began < 1


def test_a_reader_that_dies_or_hangs_is_a_refusal(monkeypatch):
    from service.materials.rules import apart, pdf

    monkeypatch.setattr(pdf, "_READER", pdf._READER.with_name("no_such_reader.py"))
    assert code_of(by_hand()) == "file_too_complicated"
    monkeypatch.undo()
    monkeypatch.setattr(apart, "_PATIENCE", 0.0001)
    assert code_of(by_hand()) == "file_too_complicated"


def test_no_upload_waits_long_for_its_turn(monkeypatch):
    """Two that are read at once leave threads for whoever hands in nothing."""
    from service.materials.rules import apart

    monkeypatch.setattr(apart, "_WAITING", 0.01)
    with apart._AT_ONCE, apart._AT_ONCE, pytest.raises(errors.Unavailable) as caught:
        examine("a.pdf", by_hand(), LIMITS)
    assert int(caught.value.headers["Retry-After"]) > 0
    monkeypatch.setattr(apart, "_PATIENCE", 0.0001)
    assert [code_of(by_hand()) for _ in range(3)] == ["file_too_complicated"] * 3
    monkeypatch.undo()
    assert code_of(by_hand()) is None, "what was given up has given its turn back"


def test_the_reader_gets_nothing_of_the_environment(monkeypatch):
    """Keys and passwords are not where a file that takes it over could read them."""
    from service.materials.rules import apart

    seen = {}

    def run(arguments, **given):
        seen.update(given, arguments=arguments)
        return type("Done", (), {"returncode": 0, "stdout": b"1"})()

    monkeypatch.setattr(apart.subprocess, "run", run)
    assert code_of(by_hand()) is None
    assert seen["env"] == {}
    assert "-I" in seen["arguments"]


def test_the_reader_by_itself():
    assert read(made(2), 5) == "2"
    assert read(made(2), 1) == "file_pages_too_many"
    assert read(made(0), 1) == "file_broken"
    assert read(b"", 1) == "file_broken"
    assert read(made(encryption=USER[2]), 1) == "file_encrypted"
    assert read(made(1, script), 1) == "file_does_something"
    assert pikepdf.settings.get_qpdf_limits()["flate_max_memory"] == 0, "set in its own process"
