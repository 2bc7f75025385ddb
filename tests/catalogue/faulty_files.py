"""Slips in the files of a pack: their shape, their schemas, what they say of each other."""

from __future__ import annotations

from tests.catalogue.packs import Slip, Told

PACK = "pack.yaml"
APPLICANT = "sections/applicant.yaml"
LEASE = "sections/lease.yaml"
PURCHASE = "sections/purchase.yaml"
CHOICE = "      x-when: {field: schooling.seat_by, is: choice}\n"
BACK = "      x-when: {not: {field: schooling.present_school, is: none}}\n"
TEXT = "      type: string\n      minLength: 2\n      maxLength: 60\n      pattern: \\S\n"
SERVICES = "sections/medical.yaml"
SCHOOLING = "sections/schooling.yaml"
RECOGNISED = "facts/recognition.yaml"
CV = "materials/cv.yaml"
SETTLEMENT = "offerings/settlement.yaml"
RENT = "offerings/housing_rent.yaml"
SPOUSE = "offerings/spouse.yaml"
MEDICAL = "offerings/medical.yaml"
ARRIVAL = "bundles/arrival.yaml"

SHAPES = [
    Slip(PACK, "zone: Asia/Shanghai\n", "", "district: demo", "zone", "missing_key"),
    Slip(PACK, "office_hours:", "office_ours:", "office_ours:", "office_ours", "unknown_key",
         also=("missing_key",)),
    Slip(PACK, "{zh: 建设局, en: Construction Bureau}", "{zh: 建设局}", "zh: 建设局",
         "departments.2.name.en", "missing_language"),
    Slip(PACK, '"350100"', "350100", "350100", "administrative_code", "wrong_type"),
    Slip(PACK, '"350100"', '"35"', "administrative", "administrative_code", "wrong_value"),
    Slip(PACK, "kind: outside", "kind: beyond", "beyond", "departments.9.kind", "wrong_value"),
    Slip(PACK, '["09:00", "12:00"]', '["09:00", "24:00"]', "24:00", "office_hours.0.1",
         "wrong_value"),
    Slip(PACK, '  - ["09:00", "12:00"]\n', '  - ["09:00"]\n', "09:00", "office_hours.0",
         "wrong_value"),
    Slip(APPLICANT, "scope: ticket", "scope: family", "family", "scope", "wrong_value"),
    Slip(APPLICANT, "scope: ticket\n", "scope: ticket\nscope: item\n", "scope: item", "scope",
         "duplicate_key"),
    Slip(APPLICANT, "additionalProperties: false", "additionalProperties: true",
         "additionalProperties: true", "schema.additionalProperties", "wrong_value"),
    Slip(APPLICANT, "      x-title: {zh: 毕业院校, en: Graduated from}\n", "", "school:",
         "schema.properties.school.x-title", "missing_key"),
    Slip(APPLICANT, "x-widget: phone", "x-widget: fax", "fax",
         "schema.properties.mobile.x-widget", "wrong_value"),
    Slip(APPLICANT, "{profile: phone}", "{profile: shoe_size}", "shoe_size",
         "schema.properties.mobile.x-prefill", "wrong_shape"),
    Slip(LEASE, "    landlord:\n", "    Landlord:\n", "properties:", "schema.properties",
         "wrong_value"),
    Slip(LEASE,
         "    message: {zh: 租期不得少于一年, en: The lease must run for at least one year.}\n", "",
         "  - at: to\n    must: {field: lease.to, at_least:", "rules.0.message", "missing_key"),
    Slip(RECOGNISED, "title: {zh: 人才类别认定, en: Recognition as a talent}", "title: 认定",
         "title: 认定", "title", "wrong_type"),
    Slip(CV, "[pdf, docx]", "[pdf, exe]", "exe", "formats.1", "wrong_value"),
    Slip(CV, "scope: item", "scope: item\nmost: 0", "most", "most", "wrong_value"),
    Slip(SETTLEMENT, "summary:\n  zh: 在本区", "summary:\n  cn: 在本区", "cn: 在本区", "summary.cn",
         "unknown_key", also=("missing_language",)),
    Slip(SETTLEMENT, "subject: self", "subject: neighbour", "neighbour", "subject", "wrong_value"),
    Slip(SETTLEMENT, "promise: {working_days: 5}", "promise: {working_days: soon}", "soon",
         "flow.promise.working_days", "wrong_type"),
    Slip(SETTLEMENT, "{code: employment_contract}", "{code: employment_contract, optional: false}",
         "optional", "materials.3.optional", "wrong_value"),
    Slip(SETTLEMENT, "{code: birth_certificate,", "{code: birth_certificate, optional: true,",
         "optional", "materials.8", "wrong_value"),
    Slip(RENT, "limit: {working_days: 8}", "limit: {working_days: 8, working_hours: 4}",
         "working_hours", "flow.stages.1.limit", "wrong_value"),
    Slip(RENT, "departments: [construction, human_resources]", "departments: [construction]",
         "departments:", "flow.stages.1.departments", "wrong_value"),
    Slip(RENT, "join: all", "join: most", "most", "flow.stages.1.join", "wrong_value"),
    Slip(RENT, "join: all", "join: {quorum: 0}", "quorum", "flow.stages.1.join.quorum",
         "wrong_value"),
    Slip(RENT, "role: reviewer", "role: auditor", "auditor", "flow.stages.3.role", "wrong_value"),
    Slip(RENT, "          from: {field: lease.from}", "          from: {field: lease}",
         "from: {field: lease}", "flow.stages.3.gives.1.from", "wrong_shape"),
    Slip(SPOUSE, "rounds: 2", "rounds: 1", "rounds: 1", "flow.stages.3.on_reject.rounds",
         "wrong_value"),
    Slip(SPOUSE, "on_reject: {to: matching, rounds: 2}", "on_reject: {to: matching}",
         "on_reject:", "flow.stages.3.on_reject.rounds", "missing_key"),
    Slip(MEDICAL, "by: {fact: recognition.class}", "by: {fact: recognition}",
         "by: {fact: recognition}", "flow.stages.4.department.by", "wrong_shape"),
    Slip(MEDICAL, "        otherwise: hospital_alliance\n", "", "department:",
         "flow.stages.4.department.otherwise", "missing_key"),
    Slip(ARRIVAL, "kind: soft\n    on: ended", "kind: weak\n    on: ended", "weak", "edges.5.kind",
         "wrong_value"),
    Slip(ARRIVAL, "each_year: 08-10", "each_year: 08-32", "08-32", "edges.4.wait_until.each_year",
         "wrong_value"),
    Slip(ARRIVAL, "{working_days: 60}", "{working_days: 60, each_year: 12-31}", "each_year: 12-31",
         "edges.5.wait_until", "wrong_value"),
    Slip(ARRIVAL, "default: close}", "default: ask}", "default: ask",
         "edges.2.otherwise.ask.default", "wrong_value"),
]  # fmt: skip

SCHEMAS = [
    Slip(APPLICANT, "format: email", "format: mail", "format: mail",
         "schema.properties.email.format", "bad_schema"),
    Slip(LEASE, "^[0-9]{12,19}$", "^(?=1)[0-9]$", "^(?=1)",
         "schema.properties.account_number.pattern", "bad_schema"),
    Slip(RECOGNISED, "type: string", "type: strin", "strin",
         "schema.properties.certificate_number.type", "bad_schema"),
    Slip(APPLICANT, "degree: bachelor", "degree: genius", "genius", "schema.examples.1.degree",
         "example_invalid"),
    Slip(LEASE, "no_home_here: true\n", "no_home_here: false\n", "no_home_here: false",
         "schema.examples.0.no_home_here", "example_invalid"),
    Slip(RECOGNISED, "{class: B, level: national}", "{class: B}", "- {class: B}",
         "schema.examples.1", "example_invalid"),
    Slip(APPLICANT, "      email: lin.lan@example.com\n", "", "examples:", "schema.examples",
         "example_incomplete"),
    Slip(APPLICANT, "        college: {zh: 大专, en: College diploma}\n", "", "x-options:",
         "schema.properties.degree.x-options", "option_untitled"),
    Slip(APPLICANT, "        college: {zh: 大专, en: College diploma}\n",
         "        college: {zh: 大专, en: College diploma}\n"
         "        genius: {zh: 天才, en: Genius}\n", "genius:",
         "schema.properties.degree.x-options.genius", "title_of_no_option"),
    Slip(APPLICANT, "enum: [doctor, master, bachelor, college]",
         "enum: [doctor, master, bachelor, master]", "enum: [doctor,",
         "schema.properties.degree.enum.3", "option_repeated",
         also=("title_of_no_option", "wrong_clause")),
    Slip(PURCHASE, "      minimum: 1000000\n", "      minimum: 9007199254740993.0\n",
         "minimum: 9007", "schema.properties.price_fen.minimum", "number_not_exact"),
    Slip(SETTLEMENT, "valid_until: 2026-12-31", "valid_until: later", "later",
         "flow.stages.1.records.examples.0.valid_until", "example_invalid"),
    Slip(SPOUSE, "              recommended: {zh: 推荐就业, en: Recommended to employers}\n", "",
         "x-options:", "flow.stages.5.records.properties.kind.x-options", "option_untitled"),
    Slip(SCHOOLING, "      entry: transfer\n", "      entry: new\n", "present_school: 杭州",
         "schema.examples.1.present_school", "example_left_out"),
    Slip(SCHOOLING, "seat_by]\n", "seat_by, first_choice]\n",
         "x-when: {field: schooling.seat_by, is: choice}\n      type: string\n      minLength: 2\n"
         "      maxLength: 60\n      pattern: \\S\n    second_choice",
         "schema.properties.first_choice.x-when", "required_and_conditional",
         also=("example_invalid",)),
    Slip(SCHOOLING, "x-when: {field: schooling.entry, is: transfer}",
         "x-when: {field: applicant.degree, is: master}", "x-when: {field: applicant",
         "schema.properties.present_school.x-when.field", "another_section"),
    Slip(SCHOOLING, "x-when: {field: schooling.entry, is: transfer}",
         "x-when: {fact: household, given: true}", "x-when: {fact: household",
         "schema.properties.present_school.x-when.fact", "no_facts_here"),
    Slip(RECOGNISED, "    class:\n", "    class:\n      x-when: {fact: household, given: true}\n",
         "x-when: {fact", "schema.properties.class.x-when", "not_at_a_field"),
    Slip(RECOGNISED, "    class:\n", "    class:\n      x-prefill: {profile: name}\n",
         "x-prefill: {profile", "schema.properties.class.x-prefill", "not_at_a_field"),
    Slip(SERVICES, "      items:\n",
         "      items:\n        x-when: {field: medical.covers_spouse, is: true}\n",
         "x-when: {field",
         "schema.properties.services.items.x-when", "not_at_a_field"),
    Slip(SERVICES, "      type: boolean\n", "      type: boolean\n      anyOf:\n        - {}\n"
         "        - {if: {}, then: {properties: {x-help: {x-prefill: {profile: name}}}}}\n",
         "- {if: {}", "schema.properties.covers_spouse.anyOf.1.then.properties.x-help.x-prefill",
         "not_at_a_field"),
    Slip(SCHOOLING, "schema:\n", "schema:\n  x-when: {field: schooling.entry, is: new}\n",
         "x-when: {field: schooling.entry, is: new}", "schema.x-when", "not_at_a_field"),
    Slip(SCHOOLING, "x-when: {field: schooling.entry, is: transfer}",
         "x-when: {field: schooling.present_school, given: true}",
         "x-when: {field: schooling.present",
         "schema.properties.present_school.x-when", "depends_on_itself"),
    Slip(SCHOOLING, "x-when: {field: schooling.entry, is: transfer}",
         "x-when: {any: [{field: schooling.second_choice, given: true}, "
         "{field: schooling.entry, is: transfer}]}", "x-when: {any:",
         "schema.properties.present_school.x-when", "depends_on_itself",
         also=("depends_on_itself",), more=((SCHOOLING, CHOICE + TEXT + "  examples", BACK
         + "      type: string\n  examples"),)),
    Slip(SERVICES, "        yearly_checkup: {zh: 年度健康体检, en: Yearly check-up}\n", "",
         "x-options:\n        priority", "schema.properties.services.x-options", "option_untitled"),
    Slip(SERVICES, "enum: [priority_visit, yearly_checkup, family_doctor]",
         "enum: [priority_visit, yearly_checkup, family_doctor, priority_visit]",
         "enum: [priority_visit", "schema.properties.services.items.enum.3", "option_repeated"),
    Slip(LEASE, "to: 2027-07-09", "to: 2026-06-30", "- contract_number: ZL-2025-001873",
         "schema.examples.0", "example_breaks_rule"),
    Slip(SCHOOLING, "grade: 2", "grade: 5", "- relation: mother", "schema.examples.1",
         "example_breaks_rule"),
    Slip(LEASE, "  - at: to\n    must: {field: lease.to, at_most:",
         "  - at: until\n    must: {field: lease.to, at_most:", "at: until", "rules.1.at",
         "unknown_field"),
    Slip(LEASE, "at_most: {field: lease.from, plus: {years: 20}}",
         "at_most: {field: lease.begin, plus: {years: 20}}", "lease.begin",
         "rules.1.must.at_most.field", "unknown_field"),
    Slip(LEASE, "must: {field: lease.to, at_most: {field: lease.from, plus: {years: 20}}}",
         "must: {field: residence.since, given: true}", "residence.since", "rules.1.must.field",
         "another_section"),
    Slip(LEASE, "must: {field: lease.to, at_most: {field: lease.from, plus: {years: 20}}}",
         "must: {fact: residence, given: true}", "fact: residence,", "rules.1.must.fact",
         "no_facts_here"),
    Slip(LEASE, "code: lease\n", "code: facts\n", "code: facts", "code", "reserved_code",
         also=("unknown_section",) * 8),
    Slip(LEASE, "must: {field: lease.to, at_most: {field: lease.from, plus: {years: 20}}}",
         "must: {requested: settlement}", "requested: settlement", "rules.1.must.requested",
         "no_requests_here"),
    Slip(APPLICANT, "{fact: degree.school}", "{fact: degree.university}", "degree.university",
         "schema.properties.school.x-prefill.fact", "unknown_value"),
    Slip(APPLICANT, "{fact: degree.school}", "{fact: diploma.school}", "diploma.school",
         "schema.properties.school.x-prefill.fact", "unknown_fact"),
    Slip(APPLICANT, "{fact: degree.degree}", "{fact: degree.graduated_on}",
         "x-prefill: {fact: degree.graduated_on}\n      enum",
         "schema.properties.degree.x-prefill.fact", "prefill_unfit"),
]  # fmt: skip

NAMES = [
    Slip(PACK, "Asia/Shanghai", "Asia/Atlantis", "Atlantis", "zone", "unknown_zone"),
    Slip(PACK, "13:30", "11:30", "office_hours:", "office_hours", "hours_disordered"),
    Slip(PACK, "\nconsents:",
         "  - {code: office, name: {zh: 另, en: More}, kind: company}\n\nconsents:",
         "name: {zh: 另, en: More}", "departments.10.code", "duplicate_code"),
    Slip(PACK, "code: sensitive", "code: processing",
         "- code: processing\n    version: 1\n    title: {zh: 敏感", "consents.1.code",
         "duplicate_code"),
    Slip(CV, "code: cv", "code: id_card", "code: id_card", "code", "duplicate_code",
         also=("unknown_material",), told_in="materials/id_card.yaml"),
]  # fmt: skip

EMPTY = b"""code: empty
title: {zh: a, en: a}
summary: {zh: a, en: a}
subject: self
sections: [applicant]
citations: []
flow:
  promise: {working_days: 5}
  stages: []
"""
EXTRA = "sections/extra.yaml"

# What is done to whole files (None: it is not there), and the one fault that follows.
WHOLE: list[tuple[dict[str, bytes | None], Told]] = [
    ({"offerings/empty.yaml": EMPTY}, ("offerings/empty.yaml", 9, "flow.stages", "no_stages")),
    ({"offering/typo.yaml": b"code: typo\n"}, ("offering/typo.yaml", 1, "", "unexpected_file")),
    ({"offerings/late.yml": b"code: late\n"}, ("offerings/late.yml", 1, "", "unexpected_file")),
    ({"offerings/more/deep.yaml": b""}, ("offerings/more/deep.yaml", 1, "", "unexpected_file")),
    ({"notes.yaml": b""}, ("notes.yaml", 1, "", "unexpected_file")),
    ({"pack.yaml": None}, ("pack.yaml", 1, "", "missing_file")),
    ({EXTRA: b"code: [applicant\n"}, (EXTRA, 2, "", "unreadable")),
    ({EXTRA: b"code: applicant\n\tscope: item\n"}, (EXTRA, 2, "", "unreadable")),
    ({EXTRA: b"a: &x 1\nb: *x\n"}, (EXTRA, 1, "a", "unreadable")),
    ({EXTRA: b"when: !!python/object:os.system x\n"}, (EXTRA, 1, "when", "unreadable")),
    ({EXTRA: b"code: a\nwhen: !!set {x}\n"}, (EXTRA, 2, "when", "unreadable")),
    ({EXTRA: b"? [a, b]\n: c\n"}, (EXTRA, 1, "", "unreadable")),
    ({EXTRA: b"a: 1\n---\nb: 2\n"}, (EXTRA, 2, "", "unreadable")),
    ({EXTRA: b'a: 1\ntitle: "\\0"\n'}, (EXTRA, 2, "title", "unreadable")),
    ({EXTRA: b'a: 1\n"\\0": 1\n'}, (EXTRA, 2, "", "unreadable")),
    ({EXTRA: b"a: 1\n&x b: 1\n"}, (EXTRA, 2, "", "unreadable")),
    ({EXTRA: b"a: 1\n!!str b: 1\n"}, (EXTRA, 2, "", "unreadable")),
    ({EXTRA: b"\xff\xfe\n"}, (EXTRA, 1, "", "unreadable")),
    ({EXTRA: b"a: " + b"[" * 60 + b"]" * 60}, (EXTRA, 1, "a", "unreadable")),
    ({EXTRA: b"[" * 200_000}, (EXTRA, 1, "0", "unreadable")),
    ({EXTRA: b"a: " + b"x" * 600_000}, (EXTRA, 1, "", "unreadable")),
    ({EXTRA: b""}, (EXTRA, 1, "", "wrong_type")),
    ({EXTRA: "code: a\nscope： item\ntitle: x\n".encode()}, (EXTRA, 2, "", "full_width_colon")),
    ({EXTRA: "code: a\nlist:\n  - kind： b\n    c: d\n".encode()},
     (EXTRA, 3, "", "full_width_colon")),
    ({EXTRA: "code: a\ntext： b\nc: d\ne: [\n".encode()}, (EXTRA, 2, "", "full_width_colon")),
    ({"README.md": b""}, ("README.md", 1, "", "unexpected_file")),
    ({"offerings/notes.txt": b""}, ("offerings/notes.txt", 1, "", "unexpected_file")),
    ({EXTRA: b"just words"}, (EXTRA, 1, "", "wrong_type")),
    ({EXTRA: b"- a list"}, (EXTRA, 1, "", "wrong_type")),
]  # fmt: skip
