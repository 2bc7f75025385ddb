"""Slips in the flow of an offering: its stages, its ways, its times."""

from __future__ import annotations

from tests.catalogue.packs import Slip

SETTLEMENT = "offerings/settlement.yaml"
RENT = "offerings/housing_rent.yaml"
PURCHASE = "offerings/housing_purchase.yaml"
DISCOUNT = "offerings/purchase_discount.yaml"
SPOUSE = "offerings/spouse.yaml"
MEDICAL = "offerings/medical.yaml"
CHILD = "offerings/schooling.yaml"
RECOGNITION = "offerings/recognition.yaml"

STAGES = [
    Slip(RECOGNITION, "{stage: experts, is: passed}", "{stage: decision, is: passed}",
         "{stage: decision", "flow.stages.3.when.stage", "stage_not_before"),
    Slip(RENT, "until: {years: 3}", "until: soon", "until: soon", "flow.stages.3.gives.0.until",
         "wrong_date"),
    Slip(RENT, "key: review", "key: decision", "key: decision\n      kind: decision",
         "flow.stages.3.key", "duplicate_stage", also=("unknown_stage",)),
    Slip(RENT, "after: [acceptance]", "after: [reception]", "reception", "flow.stages.1.after.0",
         "unknown_stage"),
    Slip(SPOUSE, "{to: matching, rounds: 2}", "{to: wedding, rounds: 2}", "wedding",
         "flow.stages.3.on_reject.to", "unknown_stage"),
    Slip(RENT, "may: [approve, reject]", "may: [approve, pass]", "approve", "flow.stages.3.may",
         "verdict_not_allowed"),
    Slip(RENT, "may: [approve, reject]", "may: [reject]", "may: [reject]", "flow.stages.3.may",
         "verdict_missing"),
    Slip(RENT, "may: [accept, return, not_accept]", "may: [not_accept]", "not_accept",
         "flow.stages.0.may", "verdict_missing"),
    Slip(RENT, "limit: {working_days: 8}", "limit: {working_days: 0}", "working_days: 0",
         "flow.stages.1.limit.working_days", "limit_not_positive"),
    Slip(RENT, "limit: {working_days: 8}", "limit: {working_days: -8}", "working_days: -8",
         "flow.stages.1.limit.working_days", "limit_not_positive"),
    Slip(DISCOUNT, "limit: {working_hours: 4}", "limit: {working_hours: -4}", "working_hours: -4",
         "flow.stages.1.limit.working_hours", "limit_not_positive"),
    Slip(RENT, "promise: {working_days: 20}", "promise: {working_days: 0}", "promise:",
         "flow.promise.working_days", "limit_not_positive", also=("limits_exceed_promise",)),
]  # fmt: skip

HIGHEST = "      role: reviewer\n      after: [publicity]\n"

KEYS = [
    Slip(RENT, HIGHEST, HIGHEST + "      when: {field: applicant.degree, is: master}\n",
         "when: {field: applicant", "flow.stages.3.when", "key_not_allowed"),
    Slip(RENT, "      join: all\n", "      checks: {field: applicant.degree, is: master}\n",
         "checks:", "flow.stages.1.checks", "key_not_allowed"),
    Slip(PURCHASE,
         "      checks:\n"
         "        any:\n"
         "          - {fact: housing_benefit, given: false}\n"
         "          - {not: {fact: housing_benefit.kind, in: [rent, purchase]}}\n",
         "", "- key: double_benefit", "flow.stages.4.checks", "key_needed"),
    Slip(PURCHASE, "      after: [joint_review]\n",
         "      after: [joint_review]\n      department: finance\n", "department: finance",
         "flow.stages.4.department", "key_not_allowed"),
    Slip(PURCHASE, "      after: [joint_review]\n",
         "      after: [joint_review]\n      role: head\n",
         "role: head\n      limit: {working_days: 1}", "flow.stages.4.role", "key_not_allowed"),
    Slip(PURCHASE, "      after: [joint_review]\n",
         "      after: [joint_review]\n      four_eyes: true\n", "four_eyes: true\n      limit",
         "flow.stages.4.four_eyes", "key_not_allowed"),
    Slip(RENT, "      departments: [construction, human_resources]\n      join: all\n", "",
         "- key: review", "flow.stages.1.department", "key_needed"),
    Slip(RENT, HIGHEST, "      after: [publicity]\n", "- key: decision", "flow.stages.3.role",
         "key_needed"),
    Slip(RENT, "may: [accept, return, not_accept]", "on_reject: {to: review, rounds: 2}",
         "on_reject:", "flow.stages.0.on_reject", "key_not_allowed", also=("not_before",)),
    Slip(MEDICAL, "      after: [decision]\n",
         "      after: [decision]\n      on_reject: {to: decision, rounds: 2}\n", "on_reject:",
         "flow.stages.4.on_reject", "key_not_allowed"),
    Slip(RENT, "may: [accept, return, not_accept]", "four_eyes: true", "four_eyes",
         "flow.stages.0.four_eyes", "key_not_allowed"),
    Slip(RENT, "      after: [review]\n",
         "      after: [review]\n"
         "      records:\n"
         "        type: object\n"
         "        additionalProperties: false\n"
         "        properties: {count: {x-title: {zh: 数, en: Count}, type: integer}}\n"
         "        examples: [{count: 1}]\n",
         "records:\n"
         "        type: object\n"
         "        additionalProperties: false\n"
         "        properties: {count",
         "flow.stages.2.records", "key_not_allowed"),
    Slip(RENT, "      after: [review]\n",
         "      after: [review]\n"
         "      gives:\n"
         "        - {fact: kinship, value: {relation: father}}\n",
         "gives:\n        - {fact: kinship", "flow.stages.2.gives", "key_not_allowed"),
    Slip(RENT, "      after: [review]\n", "      after: [review]\n"
         "      authority: {zh: 天, en: Heaven}\n", "authority:", "flow.stages.2.authority",
         "key_not_allowed"),
    Slip(MEDICAL,
         "      authority: {zh: 申请人首选的医疗机构, "
         "en: The hospital that the applicant prefers}\n",
         "", "- key: hospital", "flow.stages.2.authority", "key_needed"),
    Slip(RENT, "      department: construction\n" + HIGHEST,
         "      departments: [construction, finance]\n" + HIGHEST,
         "departments: [construction, finance]", "flow.stages.3.departments", "one_department"),
    Slip(RENT, "      department: construction\n" + HIGHEST,
         "      department: construction\n      join: any\n" + HIGHEST, "join: any",
         "flow.stages.3.join", "join_of_one"),
    Slip(RENT, "join: all", "join: {quorum: 3}", "quorum", "flow.stages.1.join.quorum",
         "quorum_too_large"),
]  # fmt: skip

WAYS = [
    Slip(RENT, "after: [acceptance]", "after: [decision]", "after: [decision]",
         "flow.stages.1.after", "cycle", also=("cycle", "cycle")),
    Slip(RENT, "      after: [acceptance]\n", "", "key: review", "flow.stages.1",
         "start_not_acceptance", also=("decision_bypassed", "unreachable", "unreachable")),
    Slip(RENT, "      after: [acceptance]\n", "", "key: publicity", "flow.stages.2",
         "unreachable", also=("decision_bypassed", "start_not_acceptance", "unreachable")),
    Slip(RENT, "may: [accept, return, not_accept]", "after: [review]",
         "after: [review]\n      sees", "flow.stages.0.after", "acceptance_not_first",
         also=("cycle", "cycle")),
    Slip(RENT, "key: review\n      kind: review", "key: review\n      kind: acceptance",
         "kind: acceptance\n      title: {zh: 租", "flow.stages.1.kind", "several_acceptances",
         also=("acceptance_not_first", "one_department")),
    Slip(RENT, "kind: decision", "kind: review", "stages:", "flow.stages", "decision_missing",
         also=("key_not_allowed", "verdict_missing", "verdict_not_allowed")),
    Slip(RENT, "kind: publicity", "kind: decision", "kind: decision\n      title: {zh: 审核决定",
         "flow.stages.3.kind", "several_decisions"),
    Slip(RENT, "after: [publicity]", "after: [review]",
         "after: [review]\n      limit: {working_days: 5}\n      sees:", "flow.stages.2.after",
         "decision_bypassed"),
    Slip(MEDICAL, "      after: [decision]\n", "      after: [acceptance]\n",
         "after: [acceptance]\n      limit: {working_hours", "flow.stages.4.after",
         "decision_bypassed"),
    Slip(RENT, "kind: publicity", "kind: fulfilment", "after: [review]", "flow.stages.2.after",
         "fulfilment_before_decision"),
    Slip(MEDICAL, "kind: fulfilment", "kind: review", "after: [decision]", "flow.stages.4.after",
         "review_after_decision"),
    Slip(SPOUSE, "{to: matching, rounds: 2}", "{to: recommendation, rounds: 2}", "on_reject:",
         "flow.stages.3.on_reject.to", "not_before"),
    Slip(SPOUSE, "{to: matching, rounds: 2}", "{to: acceptance, rounds: 2}", "on_reject:",
         "flow.stages.3.on_reject.to", "no_way_back", also=("limits_exceed_promise",)),
    Slip(PURCHASE, "after: [double_benefit]\n",
         "after: [double_benefit]\n      on_reject: {to: double_benefit, rounds: 2}\n",
         "on_reject:", "flow.stages.5.on_reject.to", "no_way_back"),
]  # fmt: skip

TIMES = [
    Slip(SETTLEMENT, "statutory: {working_days: 20}", "statutory: {working_days: 4}",
         "promise: {working_days: 5}", "flow.promise.working_days", "promise_exceeds_law"),
    Slip(RENT, "limit: {working_days: 8}", "limit: {working_days: 11}",
         "promise: {working_days: 20}", "flow.promise.working_days", "limits_exceed_promise"),
    Slip(SPOUSE, "{to: matching, rounds: 2}", "{to: matching, rounds: 3}",
         "promise: {working_days: 40}", "flow.promise.working_days", "limits_exceed_promise"),
    Slip(DISCOUNT, "limit: {working_hours: 4}", "limit: {working_hours: 46}",
         "promise: {working_days: 8}", "flow.promise.working_days", "limits_exceed_promise"),
    Slip("pack.yaml", '  - ["13:30", "18:00"]\n', "", "promise: {working_days: 8}",
         "flow.promise.working_days", "limits_exceed_promise", told_in=DISCOUNT,
         more=((DISCOUNT, "limit: {working_hours: 4}", "limit: {working_hours: 20}"),)),
]  # fmt: skip
