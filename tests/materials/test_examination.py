"""Whether a file is taken, and what is kept of it: as tables, then with any bytes."""

from __future__ import annotations

import io
import random
import struct
import time
import zipfile
import zlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.kernel import errors, messages
from service.kernel.text import holds_hidden
from service.materials.rules import MediaType, examine
from tests.materials import files
from tests.materials.files import (
    AUTHOR,
    DOCX_MAIN,
    GOOD,
    GPS,
    ICC,
    SCAN,
    TABLES,
    XLSX_MAIN,
    chunk,
    docx,
    exif,
    frame,
    jpeg,
    package,
    pdf,
    png,
    segment,
    set_in_entry,
    types,
    xlsx,
)
from tests.materials.handing_in import LIMITS


def code_of(content, name, limits=LIMITS):
    """What a file is refused with, in both languages; none where it is taken."""
    problem = problem_of(content, name, limits)
    if problem is None:
        return None
    assert problem.status in {413, 415, 422}
    for language in messages.LANGUAGES:
        assert messages.say(problem.code, language, problem.params)
    if problem.status == 422:
        [fault] = problem.errors
        assert (fault.path, fault.code) == ("file", problem.code)
    return problem.code


def problem_of(content, name, limits):
    try:
        kept = examine(name, content, limits)
    except errors.Problem as problem:
        return problem
    assert examine(kept.name, kept.content, limits).content == kept.content, "once is enough"
    return None


# --- what is taken


@pytest.mark.parametrize(
    ("ending", "media_type", "pages"),
    [
        ("pdf", MediaType.PDF, 1),
        ("jpg", MediaType.JPG, 1),
        ("png", MediaType.PNG, 1),
        ("docx", MediaType.DOCX, None),
        ("xlsx", MediaType.XLSX, None),
    ],
)
def test_every_type_is_told_by_its_content(ending, media_type, pages):
    examined = examine(f"扫描件.{ending}", GOOD[ending], LIMITS)
    assert examined.media_type is media_type
    assert media_type.ending == ending
    assert examined.pages == pages
    assert examined.content == GOOD[ending], "there was nothing to leave out"
    assert examined.name == f"扫描件.{ending}"


@pytest.mark.parametrize(
    "content",
    [
        pdf(3),
        pdf(end=b""),
        pdf(end=b"\r\n\0\0"),
        pdf(middle=b"8 0 obj << /Type /PageLabel >> endobj\n"),
        pdf(middle=b"9 0 obj << >> stream\nPK\x05\x06" + b"\0" * 18 + b"\nendstream endobj\n"),
    ],
)
def test_pdfs_that_are_right(content):
    assert code_of(content, "a.pdf") is None


def test_pages_are_counted():
    assert examine("a.pdf", pdf(7), LIMITS).pages == 7


@pytest.mark.parametrize(
    "content",
    [
        jpeg(end=b"\xff\xff\xd9"),
        jpeg(segment(0xFE, b"")),
        jpeg(b"\xff\xff" + segment(0xFE, b"filled")),
        files.encoded("JPEG", progressive=True, quality=90),
        jpeg(end=b"\xff\xd9" + b"\0" * 100),
    ],
)
def test_jpegs_that_are_right(content):
    assert code_of(content, "a.jpeg") is None


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("main", [DOCX_MAIN, XLSX_MAIN])
def test_office_files_packed_either_way(main, method):
    content = package({"[Content_Types].xml": types(main), "main.xml": "<a/>"}, method=method)
    name = "a.docx" if main == DOCX_MAIN else "a.xlsx"
    assert code_of(content, name) is None


def test_an_office_file_written_without_looking_back():
    """Its local headers have no sizes; they stand behind the data."""

    class Forward(io.RawIOBase):
        def __init__(self):
            self.written = io.BytesIO()

        def writable(self):
            return True

        def write(self, data):
            return self.written.write(data)

    file = Forward()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/文档.xml", "<a/>")
        archive.writestr("[Content_Types].xml", types(DOCX_MAIN))
    assert code_of(file.written.getvalue(), "a.docx") is None


def test_a_file_of_exactly_the_limit():
    content = pdf(middle=b"% " + b"x" * 1000 + b"\n")
    assert code_of(content, "a.pdf", replace(LIMITS, size=len(content))) is None
    assert code_of(content, "a.pdf", replace(LIMITS, size=len(content) - 1)) == "file_too_large"


# --- what is left out


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_loses_place_author_and_what_follows_it(orientation, order):
    kept = examine("a.jpg", files.chatty_jpeg(orientation, order), LIMITS).content
    assert GPS not in kept
    assert AUTHOR not in kept
    for lost in (b"xmpmeta", b"8BIM", b"JFXX", b"MPF\0", b"SEFT"):
        assert lost not in kept
    assert ICC in kept
    assert b"Adobe\0" in kept
    assert kept.endswith(SCAN + b"\xff\xd9")
    assert kept.count(b"Exif\0\0") == (orientation != 1)
    if orientation != 1:
        assert kept.startswith(b"\xff\xd8\xff\xe1")
        assert struct.unpack_from(">HHIHH", kept, 22) == (0x0112, 3, 1, orientation, 0)
    assert examine("a.jpg", kept, LIMITS).content == kept, "once is enough"


@pytest.mark.parametrize(
    "told",
    [
        exif(None),
        exif(0),
        exif(9),
        segment(0xE1, b"Exif\0\0"),
        segment(0xE1, b"Exif\0\0MM\0*\0\0"),
        segment(0xE1, b"Exif\0\0MM\0*\xff\xff\xff\xff"),
        segment(0xE1, b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\0" * 24),
        segment(0xE1, b"Exif\0\0XX\0*\0\0\0\x08" + GPS),
        segment(0xE1, b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x04\0\0\0\x01\0\0\0\x06"),
        segment(0xE1, b""),
    ],
)
def test_an_orientation_that_cannot_be_told_is_upright(told):
    assert examine("a.jpg", jpeg(told), LIMITS).content == jpeg()


def test_a_png_loses_texts_and_time_and_stands_still():
    kept = examine("a.png", files.chatty_png(), LIMITS).content
    assert GPS not in kept
    assert AUTHOR not in kept
    for lost in (b"eXIf", b"tEXt", b"iTXt", b"zTXt", b"tIME", b"prVW", b"acTL"):
        assert lost not in kept
    for left in (b"gAMA", b"iCCP", b"IHDR", b"IDAT"):
        assert left in kept
    assert kept.endswith(chunk(b"IEND"))
    assert examine("a.png", kept, LIMITS).content == kept


# --- what is refused

HTML = b"<!DOCTYPE html><script>alert(1)</script>"
ZIP_BEHIND = package({"a.txt": "a"})
BEHIND_THE_MIDDLE = len(pdf()) - pdf().index(b"xref\n0")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.pdf", HTML),
        ("a.pdf", b" " + pdf()),
        ("a.pdf", b"\xef\xbb\xbfMZ" + pdf()),
        ("a.jpg", b"GIF89a" + b"\0" * 100),
        ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
        ("a.pdf", b"MZ" + b"\0" * 200),
        ("a.docx", package({"mimetype": "application/vnd.oasis.opendocument.text"})),
        ("a.docx", ZIP_BEHIND),
        ("a.docx", package({"[Content_Types].xml": types("application/vnd.ms-powerpoint")})),
        ("a.docx", package({"[Content_Types].xml": types(DOCX_MAIN, XLSX_MAIN)})),
        ("a.zip", ZIP_BEHIND),
        ("a.pdf", b"\0"),
        ("a.pdf", b"%"),
        ("a.txt", "一二三".encode()),
    ],
)
def test_other_types_are_not_taken_whatever_they_are_called(name, content):
    assert code_of(content, name) == "file_type_unsupported"


def broken_pngs():
    whole = png()
    yield whole[:8]
    yield whole[:20]
    yield whole[:-1]
    yield whole[:-12]
    yield whole[:40] + b"\xff" + whole[41:]
    yield b"\x89PNG\r\n\x1a\n" + chunk(b"IEND")
    yield b"\x89PNG\r\n\x1a\n" + files.header(2, 2) + chunk(b"IEND")
    yield png(files.header(2, 2))
    yield png(chunk(b"CgBI", b"\0" * 4))
    yield png(width=0)
    yield whole.replace(files.header(2, 2), chunk(b"IHDR", b"\0" * 12))
    yield b"\x89PNG\r\n\x1a\n" + chunk(b"IDAT", b"x") + files.header(2, 2) + chunk(b"IEND")
    yield png(*[chunk(b"tEXt")] * 50_001)
    yield b"\x89PNG\r\n\x1a\n" + files.header(2, 2) + b"\xff\xff\xff\xffIDAT"


def broken_jpegs():
    whole = jpeg()
    yield b"\xff\xd8\xff"
    yield b"\xff\xd8\xff\xd9"
    yield whole[:-2]
    yield whole[:10]
    yield whole[:25]
    yield jpeg(width=0)
    yield jpeg(frame(4, 3))
    yield b"\xff\xd8" + TABLES + frame(4, 3) + b"\xff\xd9"
    yield b"\xff\xd8" + TABLES + SCAN + b"\xff\xd9"
    yield jpeg(b"\xff\xd0")
    yield jpeg(b"\xff\x01")
    yield jpeg(b"\xff\xfe\0\0")
    yield jpeg(b"\xff\xfe\0\1")
    yield jpeg(b"\xff\xfe\xff\xff")
    yield jpeg(b"between")
    yield jpeg(segment(0xC0, b"\x08\0\x03"), end=b"\xff\xd9").replace(frame(4, 3), b"")
    yield jpeg(*[segment(0xFE, b"")] * 5_001)
    yield b"\xff\xd8" + b"\xff" * 1000


def broken_pdfs():
    whole = pdf()
    yield b"%PDF-"
    yield b"%PDF-9.9" + whole[8:]
    yield whole[:-7]
    yield whole + HTML
    yield whole.replace(b"startxref", b"startxxxx")
    yield whole + b"\n" * 2000


def broken_packages():
    whole = docx()
    end = whole.rindex(b"PK\x05\x06")
    yield b"PK\x03\x04"
    yield whole[:-1]
    yield whole + b"\0"
    yield b"PK\x03\x04" + whole
    yield whole[:-2] + b"\x05\0" + b"notes"
    yield whole[: end + 8] + b"\x01\0\x01\0" + whole[end + 12 :]
    yield whole[: end + 8] + b"\x09\0\x09\0" + whole[end + 12 :]
    yield whole[: end + 4] + b"\x01\0\x01\0" + whole[end + 8 :]
    yield whole[:end] + b"PK\x06\x07" + b"\0" * 16 + whole[end:]
    yield set_in_entry(whole, 0, b"PK\x09\x09")
    yield set_in_entry(whole, 10, b"\x63\0")  # a method nobody knows
    yield set_in_entry(whole, 28, b"\xff\xff")  # a name without end
    yield set_in_entry(whole, 46, b"[content")  # another name than in the part's own header
    yield set_in_entry(whole, 42, b"\x05\0\0\0")  # not where a part begins
    yield set_in_entry(whole, 42, b"\xff\xff\xff\x7f", entry=3)
    yield set_in_entry(whole, 42, b"\0\0\0\0", entry=1)  # two parts in one place
    yield set_in_entry(whole, 20, b"\xff\xff\0\0")  # longer than all
    yield set_in_entry(whole, 20, b"\xff\0\0\0", entry=3)  # reaches into the directory
    yield set_in_entry(whole, 24, b"\x07\0\0\0")  # not what is unpacked
    yield set_in_entry(set_in_entry(whole, 5, b"\x03"), 40, b"\xff\xa1")  # a symbolic link
    yield docx({"WORD/DOCUMENT.XML": "twice"})
    stored = package({"[Content_Types].xml": types(DOCX_MAIN)}, method=zipfile.ZIP_STORED)
    yield set_in_entry(stored, 24, b"\x07\0\0\0")
    for written in (
        types(DOCX_MAIN).encode("utf-16"),
        types(DOCX_MAIN, "&#118;baProject"),
        '<!DOCTYPE a [<!ENTITY b "c">]>' + types(DOCX_MAIN),
    ):
        yield package({"[Content_Types].xml": written}, method=zipfile.ZIP_STORED)
    yield package(
        {"[Content_Types].xml": types(DOCX_MAIN) + random.Random(1).randbytes(2**19).hex()}
    )
    data = whole.index(b"]") + len("].xml")
    yield whole[:data] + b"\xff" * 20 + whole[data + 20 :]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        *(("a.png", one) for one in broken_pngs()),
        *(("a.jpg", one) for one in broken_jpegs()),
        *(("a.pdf", one) for one in broken_pdfs()),
        *(("a.docx", one) for one in broken_packages()),
    ],
    ids=lambda value: value if isinstance(value, str) else str(len(value)),
)
def test_what_is_broken_is_refused(name, content):
    assert code_of(content, name) == "file_broken"


@pytest.mark.parametrize(
    "content",
    [
        jpeg(end=b"\xff\xd9" + HTML),
        jpeg(end=b"\xff\xd9\r\n" + pdf()),
        jpeg(end=b"\xff\xd9" + ZIP_BEHIND),
        jpeg(end=b"\xff\xd9" + b"x" * 5000 + ZIP_BEHIND),
        jpeg(end=b"\xff\xd9" + b"MZ\x90\0"),
        jpeg(segment(0xE2, b"ICC_PROFILE\0\x01\x01%PDF-1.7")),
        png(end=b"<?php echo 1;"),
        png(end=pdf()),
        png(end=ZIP_BEHIND),
        pdf(middle=ZIP_BEHIND[:-2] + struct.pack("<H", BEHIND_THE_MIDDLE)),
    ],
)
def test_two_types_in_one_file_are_refused(content):
    ending = "pdf" if content.startswith(b"%PDF") else "jpg" if content[0] == 0xFF else "png"
    assert code_of(content, f"a.{ending}") == "file_of_two_types"


@pytest.mark.parametrize(
    ("width", "height", "code"),
    [
        (1000, 1000, None),
        (1001, 1000, "file_pixels_too_many"),
        (65535, 65535, "file_pixels_too_many"),
    ],
)
def test_a_flood_of_pixels_is_seen_in_the_header(width, height, code):
    assert code_of(jpeg(width=width, height=height), "a.jpg") == code
    assert code_of(png(width=width, height=height), "a.png") == code


def test_a_png_that_claims_all_there_can_be():
    assert code_of(png(width=2**32 - 1, height=2**32 - 1), "a.png") == "file_pixels_too_many"


@pytest.mark.parametrize(("pages", "code"), [(10, None), (11, "file_pages_too_many")])
def test_a_pdf_has_so_many_pages_at_the_most(pages, code):
    assert code_of(pdf(pages), "a.pdf") == code


@pytest.mark.parametrize("flag", [b"\x01\0", b"\x41\0", b"\0\x20"])
def test_an_encrypted_package_is_refused(flag):
    assert code_of(set_in_entry(docx(), 8, flag, entry=2), "a.docx") == "file_encrypted"


@pytest.mark.parametrize(
    "content",
    [
        docx({"word/vbaProject.bin": b"\0"}),
        docx({"word/VBAPROJECT.BIN": b"\0"}),
        docx({"word/activeX/activeX1.xml": "<a/>"}),
        docx(
            {"word/innocent.bin": b"\0"},
            listed='<Override PartName="/word/innocent.bin"'
            ' ContentType="application/vnd.ms-office.vbaProject"/>',
        ),
        xlsx({"xl/macrosheets/sheet1.xml": "<a/>"}),
        package(
            {"[Content_Types].xml": types("application/vnd.ms-word.document.macroEnabled.main+xml")}
        ),
    ],
)
def test_macros_are_refused(content):
    assert code_of(content, "a.docx") == "file_has_macros"


@pytest.mark.parametrize(
    "path",
    [
        "../evil.xml",
        "word/../../evil.xml",
        "/etc/passwd",
        "C:/evil.xml",
        "word\\..\\evil.xml",
        "..",
    ],
)
def test_paths_that_lead_outside_are_refused(path):
    assert code_of(docx({path: "x"}), "a.docx") == "file_paths_wrong"


def test_bombs_are_seen_without_being_unpacked():
    flat = docx({"word/media/zeros.xml": b"\0" * (7 * 2**20)})
    assert len(flat) < 20_000
    assert code_of(flat, "a.docx") == "file_unpacks_too_large"
    # What cannot be packed so well, but is too much together.
    noise = random.Random(1).randbytes(2**19)
    many = docx({f"word/media/{number}.bin": noise for number in range(17)})
    assert code_of(many, "a.docx", replace(LIMITS, size=2**24)) == "file_unpacks_too_large"
    assert code_of(many, "a.docx", replace(LIMITS, size=2**24, unpacked=2**24)) is None


def test_a_directory_of_too_many_parts_is_not_even_read():
    content = package({f"word/{number}.xml": "" for number in range(2_001)})
    assert code_of(content, "a.docx") == "file_unpacks_too_large"


def test_a_size_that_is_a_lie_does_not_unpack_more():
    """The list of types claims to be small, and would be a gigabyte."""
    content = package({"[Content_Types].xml": types(DOCX_MAIN) + " " * 2**26})
    lied = set_in_entry(content, 24, struct.pack("<I", 400))
    began = time.perf_counter()
    assert code_of(lied, "a.docx") == "file_broken"
    assert time.perf_counter() - began < 1


def test_nothing_is_refused_as_empty():
    assert code_of(b"", "a.pdf") == "file_empty"


# --- names


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("学位证书.pdf", "学位证书.pdf"),
        ("a.PDF", "a.PDF"),
        ("C:\\Users\\zhang\\证书.pdf", "证书.pdf"),
        ("../../etc/passwd.pdf", "passwd.pdf"),
        ("/var/www/x.pdf", "x.pdf"),
        ("..\\..\\x.pdf", "x.pdf"),
        ("a\r\nSet-Cookie: x=1.pdf", "a Set-Cookie_ x=1.pdf"),
        ("a\0b\x1b[31m.pdf", "ab[31m.pdf"),
        ("\u202efdp.exe.pdf", "fdp.exe.pdf"),
        ("a\u200b\u2066\ufeffb.pdf", "ab.pdf"),
        ('say "hi" <b>|?*.pdf', "say _hi_ _b____.pdf"),
        ("e\u0301.pdf", "\u00e9.pdf"),
        ("  . 两  个 .pdf ", "两 个.pdf"),
        ("a.tar.pdf", "a.tar.pdf"),
        ("x" * 500 + ".pdf", "x" * 116 + ".pdf"),
        ("a\u2028b\u3000c.pdf", "ab c.pdf"),
        ("\ud800a.pdf", "a.pdf"),
        ("%0d%0a;filename=x.html.pdf", "%0d%0a;filename=x.html.pdf"),
        ("\U00031350户口簿.pdf", "\U00031350户口簿.pdf"),
        ("\U0002ebf0.pdf", "\U0002ebf0.pdf"),
        ("李\U000323af\U0003fffd.pdf", "李\U000323af\U0003fffd.pdf"),
        ("\u200b学\u200d位\u200c\U000e0041.pdf", "学位.pdf"),
        ("CON.pdf", "_CON.pdf"),
        ("nul.pdf", "_nul.pdf"),
        ("com1.tar.pdf", "_com1.tar.pdf"),
        ("LPT\u00b9 .pdf", "_LPT\u00b9.pdf"),
        ("aux .x.pdf", "_aux .x.pdf"),
        ("~$简历.pdf", "_~$简历.pdf"),
        ("Conrad.pdf", "Conrad.pdf"),
        ("COM10.pdf", "COM10.pdf"),
    ],
)
def test_names_are_made_safe(sent, kept):
    examined = examine(sent, pdf(), LIMITS)
    assert examined.name == kept
    assert examine(kept, pdf(), LIMITS).name == kept


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "file_ending_wrong"),
        ("证书", "file_ending_wrong"),
        ("a.exe", "file_ending_wrong"),
        ("a.pdf.exe", "file_ending_wrong"),
        ("a.pdf/", "file_ending_wrong"),
        ("a.jpg", "file_ending_wrong"),
        ("a.\u202efdp", "file_ending_wrong"),
        ("pdf", "file_name_missing"),
        (".pdf", "file_name_missing"),
        ("\u202e.pdf", "file_name_missing"),
        ("../.pdf", "file_name_missing"),
        ("\u200b\u2060.pdf", "file_name_missing"),
        ("\u3164.pdf", "file_name_missing"),
    ],
)
def test_names_that_do_not_fit_are_refused(name, code):
    assert code_of(pdf(), name) == code


@given(st.text())
def test_whatever_a_name_is_what_is_kept_can_be_shown_and_stored(stem):
    try:
        name = examine(stem + ".pdf", pdf(), LIMITS).name
    except errors.Invalid:
        return
    assert 5 <= len(name) <= 120
    assert not holds_hidden(name)
    assert not set(name) & set('/\\<>:"|?*\r\n\0')
    assert name == name.strip(" .")
    assert name.encode()
    assert examine(name, pdf(), LIMITS).name == name


# --- whatever bytes there are

ENDINGS = st.sampled_from(sorted(GOOD))
HEADS = [
    b"",
    b"%PDF-1.7\n",
    b"\xff\xd8\xff",
    b"\xff\xd8\xff\xe1",
    b"\x89PNG\r\n\x1a\n",
    b"PK\x03\x04",
]
TAILS = [b"", b"startxref\n0\n%%EOF", b"\xff\xd9", chunk(b"IEND"), b"PK\x05\x06" + b"\0" * 18]


@given(st.sampled_from(HEADS), st.binary(max_size=400), st.sampled_from(TAILS), ENDINGS)
@settings(max_examples=400)
def test_random_bytes_are_never_more_than_a_problem(head, middle, tail, ending):
    code_of(head + middle + tail, f"a.{ending}")


RICH = {
    **GOOD,
    "jpg": files.chatty_jpeg(6),
    "png": files.chatty_png(),
    "docx": docx({"word/media/image1.png": png()}),
}


@given(ENDINGS, st.data())
@settings(max_examples=600)
def test_mutated_files_are_never_more_than_a_problem(ending, data):
    content = bytearray(RICH[ending])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        length = data.draw(st.integers(0, 8))
        content[at : at + length] = data.draw(st.binary(max_size=8))
        if not content:
            break
    code_of(bytes(content), f"a.{ending}")


@given(ENDINGS, st.data())
def test_what_breaks_off_is_refused(ending, data):
    """A form may end early; no prefix of a file is a file, but for blanks after a PDF."""
    content = GOOD[ending]
    length = data.draw(st.integers(0, len(content) - 2))
    assert code_of(content[:length], f"a.{ending}") is not None


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xd8\xff" + b"\xff" * 2**20,
        b"\xff\xd8" + segment(0xFE, b"") * 2**18,
        b"\xff\xd8" + TABLES + frame(2, 2) + SCAN[:10] + b"\xff\0" * 2**19,
        b"\x89PNG\r\n\x1a\n" + files.header(2, 2) + chunk(b"tEXt") * 80_000,
        b"%PDF-1.7\n" + b"/Type " * 2**17 + b"startxref\n0\n%%EOF",
        b"%PDF-1.7\n" + b"/Type" + b" " * 2**19 + b"startxref\n0\n%%EOF",
        b"%PDF-1.7\n" + b"PK\x05\x06" * 2**17 + b"startxref\n0\n%%EOF",
        b"%PDF-1.7\n" + b"startxref " * 200 + b"\n" * 1000,
    ],
    ids=range(8),
)
def test_what_is_made_to_take_long_does_not(content):
    began = time.perf_counter()
    code_of(content, "a.pdf", replace(LIMITS, size=2**24))
    assert time.perf_counter() - began < 2


def test_the_files_of_these_tests_are_real():
    """Their makers are by hand; the standard library reads those that it knows."""
    for ending in ("docx", "xlsx"):
        with zipfile.ZipFile(io.BytesIO(GOOD[ending])) as archive:
            assert archive.testzip() is None
    at = GOOD["png"].index(b"IDAT")
    assert len(zlib.decompress(GOOD["png"][at + 4 : -16])) == 6
