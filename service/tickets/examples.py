"""What the documents show of tickets and tasks; every answer here validates against its schema."""

from __future__ import annotations

from typing import Any, Final

_TICKET: Final = "0199d3c2-7a51-7e3c-9a40-5f0c2a6d1b11"


_ITEM: Final = "0199d3c2-7a52-7a10-8f2e-1d5b7c3e9a21"


_CHILDS_ITEM: Final = "0199d3c2-7a52-7a10-8f2e-1d5b7c3e9a22"


_TASK: Final = "0199d3c2-7a53-7b44-b1c6-6e8f0d2a4c31"


_MATERIAL: Final = "0199d3c2-7a5b-7f30-9c41-6e2d8b0f4a17"


_CLERK: Final = "0199d3c2-7a54-7c20-9d11-3b7e5f9a1c41"


_VERSION_OF_TASK: Final = 2


_SETTLEMENT: Final = {"zh": "人才落户", "en": "Household registration for talents"}


FILING: Final[dict[str, Any]] = {
    "bundle": "arrival",
    "items": [
        {
            "offering": "settlement",
            "sections": {
                "household": {
                    "into": "collective",
                    "from_region": "330106",
                    "from_address": "浙江省杭州市西湖区文澜路 9 号 2 单元 501 室",
                    "with_spouse": False,
                    "children": 0,
                }
            },
        },
    ],
    "sections": {
        "applicant": {
            "degree": "master",
            "school": "东湾理工大学",
            "graduated_on": "2025-06-30",
            "mobile": "13800138000",
        },
        "employment": {
            "employer": "东湾海芯科技有限公司",
            "employer_code": "91350100M000100Y43",
            "position": "芯片设计工程师",
            "contract_from": "2025-07-15",
            "insured_since": "2025-08-01",
        },
        "residence": {
            "basis": "rented_home",
            "since": "2025-07-10",
            "address": "东湾高新区望海路 18 号 3 幢 702 室",
        },
    },
    "materials": [{"code": "id_card", "material": _MATERIAL}],
    "consents": ["processing@1", "sensitive@1"],
}


_SUMMARY: Final[dict[str, Any]] = {
    "id": _TICKET,
    "number": "LB350100202611230000018",
    "version": 1,
    "etag": f'"ticket.{_TICKET}.2"',
    "bundle": "arrival",
    "status": "in_progress",
    "filed_at": "2026-11-23T01:30:00+00:00",
    "due_on": "2026-12-07",
    "due_at": "2026-12-07T10:00:00+00:00",
    "due_basis": "projected",
    "provisional": False,
}


TICKET: Final[dict[str, Any]] = {
    **_SUMMARY,
    "items": [
        {
            "id": _ITEM,
            "number": "LB350100202611230000018-01",
            "version": 1,
            "etag": f'"item.{_ITEM}.1"',
            "offering": "settlement",
            "title": _SETTLEMENT,
            "subject": None,
            "phase": "acceptance",
            "hold": None,
            "hold_until": None,
            "outcome": None,
            "due_on": "2026-12-07",
            "due_at": "2026-12-07T10:00:00+00:00",
            "due_basis": "projected",
            "provisional": False,
            "light": "green",
            "result": None,
            "deliveries": [],
            "waiting_for": [],
            "stages": [
                {
                    "key": "acceptance",
                    "round": 1,
                    "title": {"zh": "受理", "en": "Acceptance"},
                    "department": "public_security",
                    "departments": ["public_security"],
                    "state": "open",
                    "verdict": None,
                    "due_at": "2026-11-30T10:00:00+00:00",
                    "light": "green",
                }
            ],
        }
    ],
    "edges": [],
    "next_steps": [],
    "draft": None,
}


ITEM: Final[dict[str, Any]] = {
    **TICKET["items"][0],
    "hold": "correction",
    "hold_until": "2026-12-07T10:00:00+00:00",
    "ticket": _TICKET,
    "sections": {"residence": FILING["sections"]["residence"]},
    "materials": [{"code": "id_card", "material": _MATERIAL}],
    "corrections": [
        {
            "asked_at": "2026-11-23T03:30:00+00:00",
            "due_at": "2026-12-07T10:00:00+00:00",
            "answered_at": None,
            "dropped_at": None,
            "dropped_because": None,
            "points": [
                {
                    "what": "门牌号与租赁合同不一致，请核对。",
                    "section": "residence",
                    "field": "address",
                    "material": None,
                }
            ],
        }
    ],
}


CORRECTION: Final[dict[str, Any]] = {"sections": {"residence": FILING["sections"]["residence"]}}


DRAFT: Final[dict[str, Any]] = {
    "id": _TICKET,
    "number": None,
    "version": 2,
    "etag": f'"draft.{_TICKET}.2"',
    "bundle": "arrival",
    "status": "draft",
    "filed_at": None,
    "due_on": None,
    "due_at": None,
    "due_basis": None,
    "provisional": False,
    "items": [],
    "edges": [],
    "next_steps": [],
    "draft": {
        "items": [{"offering": "settlement", "subject": None, "sections": {}, "materials": []}],
        "sections": {"residence": FILING["sections"]["residence"]},
        "materials": [{"code": "id_card", "material": _MATERIAL}],
        "consents": ["processing@1", "sensitive@1"],
        "updated_at": "2026-11-23T01:20:00+00:00",
    },
}


CONSEQUENCES: Final[dict[str, Any]] = {
    "items": [
        {
            "item": _ITEM,
            "number": "LB350100202611230000018-01",
            "offering": "settlement",
            "title": _SETTLEMENT,
            "consequence": "withdrawn",
        }
    ]
}


DUE_CHANGES: Final[dict[str, Any]] = {
    "items": [
        {
            "at": "2026-11-24T02:00:00+00:00",
            "before": "2026-12-07T10:00:00+00:00",
            "after": "2026-12-01T10:00:00+00:00",
            "basis": "promised",
            "cause": "accepted",
            "text": {
                "zh": "已受理，承诺期限自受理之日起计算。",
                "en": "It was accepted; the promise counts from that day.",
            },
        }
    ]
}


TICKET_PAGE: Final[dict[str, Any]] = {"items": [_SUMMARY], "next": None}


TIMELINE: Final[dict[str, Any]] = {
    "items": [
        {
            "seq": 1,
            "at": "2026-11-23T01:30:00+00:00",
            "kind": "ticket_filed",
            "item": None,
            "text": {"zh": "您提交了联办申请。", "en": "You filed the joint application."},
        }
    ]
}


TASK: Final[dict[str, Any]] = {
    "id": _TASK,
    "version": _VERSION_OF_TASK,
    "etag": f'"task.{_TASK}.{_VERSION_OF_TASK}"',
    "state": "claimed",
    "kind": "acceptance",
    "stage": "acceptance",
    "stage_title": {"zh": "受理", "en": "Acceptance"},
    "item": _ITEM,
    "item_number": "LB350100202611230000018-01",
    "offering": "settlement",
    "title": _SETTLEMENT,
    "department": "public_security",
    "role": "clerk",
    "assignee": _CLERK,
    "assignee_name": "王芳",
    "mine": True,
    "opened_at": "2026-11-23T01:30:00+00:00",
    "due_at": "2026-11-30T10:00:00+00:00",
    "light": "green",
    "verdict": None,
}


TASK_PAGE: Final[dict[str, Any]] = {"items": [TASK], "next": None}


TASK_DETAIL: Final[dict[str, Any]] = {
    **TASK,
    "item": _CHILDS_ITEM,
    "item_number": "LB350100202611230000018-02",
    "offering": "schooling",
    "title": {"zh": "人才子女入学", "en": "Schooling for talents' children"},
    "department": "development_support",
    "ticket_number": "LB350100202611230000018",
    "passing": "accept",
    "may": ["accept", "not_accept", "return"],
    "records": None,
    "applicant": {
        "name": "张伟",
        "id_type": "citizen_id",
        "id_number": "110***********002X",
    },
    "subject": {
        "name": "张晓雨",
        "id_type": "citizen_id",
        "id_number": "110***********0164",
        "birth_date": "2019-05-12",
        "kinship": "child",
    },
    "sections": {"schooling": {"stage": "primary", "grade": 1, "proof": "lease"}},
    "facts": [
        {
            "id": "0199d3c2-7a55-7d38-8a22-4c9f1b3d5e61",
            "kind": "recognition",
            "value": {"class": "D", "level": "district"},
            "issuer": "human_resources",
            "valid_from": "2026-11-02",
            "valid_to": "2031-11-02",
        }
    ],
    "materials": [
        {
            "id": _MATERIAL,
            "code": "birth_certificate",
            "name": "出生医学证明.pdf",
            "media_type": "application/pdf",
            "size": 482133,
            "erased": False,
        }
    ],
    "history": [],
    "corrections": [
        {
            "department": "development_support",
            "asked_at": "2026-11-23T03:30:00+00:00",
            "due_at": "2026-12-07T10:00:00+00:00",
            "answered_at": "2026-11-25T08:10:00+00:00",
            "dropped_at": None,
            "dropped_because": None,
            "points": [
                {
                    "what": "出生医学证明缺第二页，请补齐。",
                    "section": None,
                    "field": None,
                    "material": "birth_certificate",
                }
            ],
        }
    ],
    "opinion": None,
    "result": None,
}


TASK_COUNTS: Final[dict[str, Any]] = {
    "state": {
        "open": {"value": 37, "exact": True},
        "claimed": {"value": 5, "exact": True},
    },
    "light": {
        "green": {"value": 38, "exact": True},
        "yellow": {"value": 3, "exact": True},
        "red": {"value": 1, "exact": True},
    },
    "offering": [{"offering": "settlement", "count": {"value": 42, "exact": True}}],
    "mine": {"value": 2, "exact": True},
}


ITEM_TIMELINE: Final[dict[str, Any]] = {
    "items": [
        {
            "seq": 2,
            "at": "2026-11-23T01:30:00+00:00",
            "kind": "item_filed",
            "item": _ITEM,
            "text": {
                "zh": "人才落户：已收到，等待受理。",
                "en": "Household registration for talents: received, waiting for acceptance.",
            },
        }
    ]
}


ASSIGNMENT: Final[dict[str, Any]] = {"account": _CLERK}


DECISION: Final[dict[str, Any]] = {"verdict": "accept", "opinion": "材料齐全，予以受理。"}


DECIDED: Final[dict[str, Any]] = {
    "id": _TASK,
    "version": _VERSION_OF_TASK + 1,
    "etag": f'"task.{_TASK}.{_VERSION_OF_TASK + 1}"',
    "state": "closed",
    "verdict": "accept",
    "item": _ITEM,
    "item_number": "LB350100202611230000018-01",
    "phase": "processing",
    "outcome": None,
}


REQUEST: Final[dict[str, Any]] = {
    "id": _TICKET,
    "number": "LB350100202611230000018",
    "employee": "张*",
    "status": "in_progress",
    "filed_at": "2026-11-23T01:30:00+00:00",
    "due_on": "2026-12-07",
    "items": [
        {
            "offering": "settlement",
            "title": _SETTLEMENT,
            "phase": "processing",
            "outcome": None,
            "due_on": "2026-12-07",
            "light": "yellow",
            "waiting_for": ["recognition"],
            "awaiting": [{"what": "choice", "by": "2026-12-02"}],
        }
    ],
}


REQUEST_PAGE: Final[dict[str, Any]] = {"items": [REQUEST], "next": None}
