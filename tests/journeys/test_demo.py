"""The demonstration as it is typed, in both languages: what it tells, and what the telling leaves.

Its sentences are assertions of their own; here it is seen that all of them are told, that it can
come to nothing, which keys the answers had, and that no log has heard anything.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

import httpx
import pytest

from service.routing.states import Phase
from service.tickets.rules.states import TicketStatus
from tests.journeys import altered, fields
from tests.journeys.wire import Exchange, demo, wire

pytestmark = pytest.mark.slow

CHAPTERS = [
    ("张伟来到东湾高新区", "Zhang Wei arrives in the Dongwan zone"),
    ("一张表、一套材料", "One form, one set of documents"),
    ("草稿与提交", "A draft, and filing it"),
    ("各看各的", "Everybody sees their own part"),
    ("租房补贴：一次补正，两部门会审", "Rent subsidy: one correction, two departments"),
    ("人才认定与落户", "Recognition and settlement"),
    ("补贴有了数额，不能重复享受", "The subsidy has an amount, and comes once"),
    ("两个孩子，两个学位", "Two children, two seats"),
    ("李芳的工作", "Li Fang's work"),
    ("医疗保障", "Medical services"),
    ("专员代为提交", "The agent files for him"),
    ("用人单位看到什么", "What the employer sees"),
    ("全部办结", "All is done"),
    ("别的人才，办到各处", "Other talents, wherever they stand"),
]
SENTENCES, QUOTES = 45, 6
NUMBER = re.compile(r"LB\d{6}\d{8}\d+[0-9A-Z]")
# What a person says, other than codes of the pack and years: Chinese, figures, dates, mail.
PERSONAL = re.compile(r"[^\x00-\x7f]|\d{5}|\d{4}-|@.+\.")
AN_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
NOT_TOLD = {"username", "access_token", "refresh_token"}


@dataclass(frozen=True)
class Telling:
    """A story as it was printed, and what it took."""

    code: int
    printed: str
    wrong: str
    exchanges: list[Exchange]

    @property
    def chapters(self) -> list[str]:
        return re.findall(r"^\d+\. (.+)$", self.printed, re.MULTILINE)

    @property
    def sentences(self) -> list[str]:
        return re.findall(r"^ {3}(\S.+)$", self.printed, re.MULTILINE)

    @property
    def quotes(self) -> list[str]:
        return re.findall(r"^ {5}· (.+)$", self.printed, re.MULTILINE)


@pytest.fixture(scope="module")
def tell(up, tmp_path_factory):
    """Has the story told by the service that runs, over a wire."""

    def tell(language, **options):
        with wire(up.var, **options) as one:
            told = demo(one.leads_from(tmp_path_factory.mktemp("story")), language)
        return Telling(told.returncode, told.stdout, told.stderr, one.exchanges)

    return tell


@pytest.fixture(scope="module")
def told(tell):
    """The story in both languages."""
    return {language: tell(language) for language in ("zh", "en")}


@pytest.mark.parametrize(("place", "language"), [(0, "zh"), (1, "en")])
def test_every_chapter_and_sentence_is_told(told, place, language):
    story = told[language]
    assert (story.code, story.wrong) == (0, "")
    assert story.chapters == [both[place] for both in CHAPTERS]
    assert (len(story.sentences), len(story.quotes)) == (SENTENCES, QUOTES)


def test_every_telling_is_of_another_family(told):
    numbers = [set(NUMBER.findall(story.printed)) for story in told.values()]
    assert [len(one) for one in numbers] == [1, 1]
    assert len(set.union(*numbers)) == len(told)


def test_what_the_service_said_is_told_in_the_language_of_the_telling(told):
    for language, strange in (("en", "[\u4e00-\u9fff]"), ("zh", "[a-z]{4}")):
        assert told[language].quotes
        for quote in told[language].quotes:
            assert not re.search(strange, quote), quote


@pytest.fixture(scope="module")
def reads(up):
    """Signs somebody in, and reads a list and each of its rows as they alone see them."""
    base = json.loads((up.var / "up.json").read_text("utf-8"))["base_url"]

    def reads(path, way, **credentials):
        with httpx.Client(base_url=f"{base}/v1") as client:
            token = client.post(f"/auth/{way}", json=credentials).json()["access_token"]
            client.headers["Authorization"] = f"Bearer {token}"
            rows = client.get(path, params={"limit": "100"}).json()["items"]
            return [client.get(f"{path}/{row['id']}").json() for row in rows]

    return reads


def test_whoever_signs_in_afterwards_finds_tickets_in_every_state(told, reads):
    codes = re.findall(r"demo:[a-z.0-9]+", told["zh"].printed)
    tickets = [one for code in codes for one in reads("/tickets", "wechat", code=code)]
    assert {one["status"] for one in tickets} == set(TicketStatus)
    filed = [one for one in tickets if one["status"] != TicketStatus.DRAFT]
    items = [item for one in filed for item in one["items"]]
    assert {item["phase"] for item in items} == set(Phase)
    assert {item["outcome"] for item in items} >= {None, "approved", "rejected", "not_accepted"}
    assert "correction" in {item["hold"] for item in items}
    assert {step["kind"] for one in filed for step in one["next_steps"]} == {"correct", "choose"}


@pytest.mark.parametrize(
    "username",
    [
        "clerk.construction",
        "reviewer.public_security",
        "clerk.human_resources",
        "clerk.hospital_alliance",
    ],
)
def test_no_desk_is_empty_afterwards(up, told, reads, username):
    password = (up.var / "demo-password").read_text("utf-8").strip()
    assert told["zh"].code == 0
    assert reads("/desk/tasks", "password", username=username, password=password)


def one_child_less(exchange):
    if exchange.path == "/v1/me/family" and exchange.method == "GET":
        return {"items": exchange.told["items"][:-1]}
    return exchange.told


def a_child_for_construction(exchange):
    if exchange.path.startswith("/v1/desk/tasks/") and exchange.status == 200:
        return exchange.told | {"child": "张晓雨"}
    return exchange.told


@pytest.mark.parametrize(
    ("alter", "chapter", "sentence", "found"),
    [
        (one_child_less, 1, "He signs in through WeChat", "'张晓雨'"),
        (a_child_for_construction, 4, "What construction sees", '"child": "张晓雨"'),
    ],
)
def test_what_is_not_true_is_not_told(tell, alter, chapter, sentence, found):
    story = tell("en", alter=alter)
    assert story.code == 1
    assert len(story.chapters) == chapter
    assert sentence not in story.printed
    said, seen = story.wrong.split("  ✗  ")
    assert said.startswith(f"Error: {sentence}")
    assert found in seen


def test_without_a_service_there_is_no_story(up, tmp_path):
    nowhere = demo(tmp_path, "en")
    assert (nowhere.returncode, nowhere.stdout) == (1, "")
    assert f"no service runs in {tmp_path}" in nowhere.stderr
    with wire(up.var) as cut:
        folder = cut.leads_from(tmp_path)
    nobody = demo(folder, "en")
    assert (nobody.returncode, nobody.stdout) == (1, "")
    assert nobody.stderr.startswith("Error: the service does not answer")


# What a document does not require, or the pack leaves to the talent: the story looks at the last.
LEFT_OPEN = [
    "talent: POST /v1/tickets 409: : without params",
    "talent: GET /v1/offerings/{code} 200: citations.[]: without article",
    "talent: GET /v1/bundles/{code}/form 200: sections.[].prefilled: without mobile",
]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_answer_has_exactly_the_keys_of_its_reader(told, language):
    """Each audience receives each key that its document and the pack's `sees` name, no other.

    What is compared, and with what, stands in `tests.journeys.fields`.
    """
    faults = fields.faults(told[language].exchanges)
    assert not faults, "\n".join(faults)


def test_a_key_too_many_or_too_few_is_noticed_wherever_it_is(told):
    """The comparison itself: every object of every answer is given a key more and a key less."""
    assert sorted(altered.unnoticed(told["zh"].exchanges)) == sorted(LEFT_OPEN)


def test_what_a_stage_does_not_name_is_noticed(told):
    """Every task is shown one thing more, of all that was filed, than `sees` of its stage names."""
    assert altered.unguarded(told["zh"].exchanges) == []


def said_in(value, name=""):
    """Every text in a JSON value."""
    if isinstance(value, dict):
        return {text for key, one in value.items() for text in said_in(one, key)}
    if isinstance(value, list):
        return {text for one in value for text in said_in(one, name)}
    return {value} if isinstance(value, str) and name not in NOT_TOLD else set()


def test_no_log_has_heard_of_it(up, told):
    """Names, numbers, answers, opinions, results; passwords and tokens as well."""
    exchanges = [one for story in told.values() for one in story.exchanges]
    said = {text for one in exchanges for text in said_in(one.sent)}
    secrets = {text for text in said if PERSONAL.search(text) and not AN_ID.fullmatch(text)}
    signed_in = [one for one in exchanges if "/auth/" in one.path]
    secrets |= {text for one in signed_in for text in said_in(one.sent)}
    secrets |= {one.told[token] for one in signed_in for token in ("access_token", "refresh_token")}
    known = {"张伟", "李芳", "张晓雨", "13800138000", "lin.lan@example.com", "6200000000000000018"}
    assert secrets >= known | {"同意", "租赁合同缺第二页，请补齐。", "RC-2026-000318"}
    logs = {path.name: path.read_text("utf-8") for path in (up.var / "log").iterdir()}
    assert logs.keys() >= {"web.log", "worker.log"}
    assert logs["web.log"].count('"event":"request"') >= len(exchanges)
    assert '"event":"worker_started"' in logs["worker.log"]
    heard = [(name, word) for name, text in logs.items() for word in secrets if word in text]
    assert heard + [word for word in secrets if word in up.said] == []
