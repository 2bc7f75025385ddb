"""Slips in conditions, and in the edges of a bundle."""

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
ARRIVAL = "bundles/arrival.yaml"

EMPLOYED = "met_when: {field: employment.insured_since, at_least_ago: {months: 1}}"
AT = "criteria.1.met_when"


def asked(condition: str, at: str, code: str) -> Slip:
    """Another condition for the criterion `employed`, and where in it the fault is."""
    new = f"met_when: {condition}"
    key = f"{AT}.{at}" if at else AT
    return Slip(SETTLEMENT, EMPLOYED, new, new, key, code)


_DEEP = "{not: " * 8 + "{field: applicant.degree, is: master}" + "}" * 8

CLAUSES = [
    asked(_DEEP, ".".join(["not"] * 8), "nested_too_deep"),
    asked("{requested: settlement}", "requested", "requests_itself"),
    # the shape: one thing to look at, one comparison
    asked("{field: applicant.degree}", "", "wrong_shape"),
    asked("{is: master}", "", "wrong_shape"),
    asked("{}", "", "wrong_shape"),
    asked("{field: applicant.degree, fact: recognition.class, is: A}", "", "wrong_shape"),
    asked("{field: applicant.degree, is: master, in: [master]}", "", "wrong_shape"),
    asked("{age: applicant, given: true}", "", "wrong_shape"),
    asked("{stage: acceptance, at_least: passed}", "", "wrong_shape"),
    asked("{requested: recognition, is: true}", "", "wrong_shape"),
    asked("{not: {requested: recognition}, any: [{requested: recognition}]}", "", "wrong_shape"),
    asked("{cel: applicant.degree == 'master'}", "", "wrong_shape"),
    asked("{field: applicant, given: true}", "field", "wrong_value"),
    asked("{any: []}", "any", "wrong_value"),
    asked("{age: neighbour, at_least: 18}", "age", "wrong_value"),
    asked("{field: employment.insured_since, within_last: {}}", "within_last", "wrong_value"),
    asked("{field: employment.insured_since, within_last: {weeks: 2}}", "within_last.weeks",
          "unknown_key"),
    # the names
    asked("{field: applicant.shoe_size, given: true}", "field", "unknown_field"),
    asked("{field: wardrobe.shoes, given: true}", "field", "unknown_section"),
    asked("{field: lease.to, given: true}", "field", "section_not_asked"),
    asked("{fact: nobility, given: true}", "fact", "unknown_fact"),
    asked("{fact: recognition.rank, is: A}", "fact", "unknown_value"),
    asked("{fact: recognition, is: A}", "fact", "value_needed"),
    asked("{requested: citizenship}", "requested", "unknown_offering"),
    asked("{stage: coronation, is: passed}", "stage", "unknown_stage"),
    asked("{age: subject, at_least: 3}", "age", "no_subject"),
    asked("{any: [{fact: recognition, given: true}, {not: {field: applicant.rank, given: true}}]}",
          "any.1.not.field", "unknown_field"),
    asked("{field: employment.insured_since, at_least: {field: employment.contract}}",
          "at_least.field", "unknown_field"),
    # the types
    asked("{field: applicant.degree, is: genius}", "is", "wrong_clause"),
    asked("{field: applicant.degree, in: [master, genius]}", "in.1", "wrong_clause"),
    asked("{field: household.children, is: two}", "is", "wrong_clause"),
    asked("{field: household.children, is: 6}", "is", "wrong_clause"),
    asked("{field: household.with_spouse, is: 1}", "is", "wrong_clause"),
    asked("{field: employment.insured_since, is: 2026-02-30}", "is", "wrong_clause"),
    asked("{fact: recognition.class, in: [A, F]}", "in.1", "wrong_clause"),
    asked("{age: applicant, is: 18.5}", "is", "wrong_clause"),
    asked("{field: applicant.degree, at_least: master}", "at_least", "wrong_clause"),
    asked("{field: applicant.school, at_most: 3}", "at_most", "wrong_clause"),
    asked("{field: household.children, at_least: 2026-01-01}", "at_least", "wrong_clause"),
    asked("{field: employment.insured_since, at_most: 3}", "at_most", "wrong_clause"),
    asked("{field: employment.insured_since, at_most: soon}", "at_most", "wrong_clause"),
    asked("{field: household.children, at_least: {field: employment.insured_since}}", "at_least",
          "wrong_clause"),
    asked("{field: employment.insured_since, at_least: {field: household.children}}", "at_least",
          "wrong_clause"),
    asked("{field: household.children, at_least: {field: household.children, plus: {days: 1}}}",
          "at_least", "wrong_clause"),
    asked("{field: household.children, within_last: {years: 1}}", "within_last", "wrong_clause"),
    asked("{fact: recognition.class, at_least_ago: {days: 1}}", "at_least_ago", "wrong_clause"),
    asked("{age: applicant, within_last: {years: 1}}", "", "wrong_shape"),
    # the day as of which it is asked
    asked("{field: employment.insured_since, at_least_ago: {days: 1}, on: 2026-02-30}", "on",
          "wrong_clause"),
    asked("{field: employment.insured_since, at_least_ago: {days: 1}, on: 0000-01-01}", "on",
          "wrong_clause"),
    asked("{field: employment.insured_since, within_last: {days: 1}, on: {field: lease.to}}",
          "on.field", "section_not_asked"),
    asked("{field: employment.insured_since, within_last: {days: 1}, on: {field: applicant.rank}}",
          "on.field", "unknown_field"),
    asked("{field: employment.insured_since, within_last: {days: 1}, "
          "on: {field: applicant.degree}}", "on.field", "wrong_clause"),
    asked("{age: applicant, at_least: 18, on: {field: household.children}}", "on.field",
          "wrong_clause"),
    asked("{age: applicant, at_least: 18, on: {each_year: 08-32, of: {field: household.children}}}",
          "on", "wrong_shape"),
    asked("{age: applicant, at_least: 18, on: {each_year: 08-31, of: {field: applicant.degree}}}",
          "on.of.field", "wrong_clause"),
    asked("{age: applicant, at_least: 18, on: {each_year: 08-31, of: {field: applicant.school}}}",
          "on.of.field", "wrong_clause"),
    asked("{age: applicant, at_least: 18, on: {each_year: 08-31, of: {field: household.children}}}",
          "on.of.field", "wrong_clause"),
    asked("{age: applicant, at_least: 18, on: {each_year: 08-31, of: {field: lease.to}}}",
          "on.of.field", "section_not_asked"),
    asked("{field: employment.insured_since, is: 2026-01-01, on: 2026-01-01}", "", "wrong_shape"),
    asked("{field: employment.insured_since, on: 2026-01-01}", "", "wrong_shape"),
    asked("{fact: recognition, given: true, on: 2026-01-01}", "", "wrong_shape"),
    # expressions
    asked("{cel: applicant.degree ==, needs: [{field: applicant.degree}]}", "cel",
          "bad_expression"),
    asked("{cel: applicant.school == 'x', needs: [{field: applicant.degree}]}", "cel",
          "bad_expression"),
    asked("{cel: facts.recognition.class == 'A', needs: [{fact: recognition.level}]}", "cel",
          "bad_expression"),
    asked("{cel: applicant.degree == 'x' // y, needs: [{field: applicant.degree}]}", "cel",
          "bad_expression"),
    asked('{cel: "[1].exists(x, [2].exists(y, x == y))", needs: [{field: applicant.degree}]}',
          "cel", "bad_expression"),
    asked("{cel: applicant.degree, needs: [{field: applicant.degree}]}", "cel", "expression_fails"),
    asked("{cel: applicant.degree < 3, needs: [{field: applicant.degree}]}", "cel",
          "expression_fails"),
    asked("{cel: household.children / 0 > 1, needs: [{field: household.children}]}", "cel",
          "expression_fails"),
    asked("{cel: applicant.rank == 'x', needs: [{field: applicant.rank}]}", "needs.0.field",
          "unknown_field"),
    asked("{cel: facts.recognition == 1, needs: [{fact: recognition}]}", "needs.0", "wrong_shape"),
]  # fmt: skip

PLACES = [
    Slip(SETTLEMENT, "{field: household.with_spouse, is: true}",
         "{field: household.spouse, is: true}", "household.spouse,", "materials.7.when.field",
         "unknown_field"),
    Slip(CHILD, "when: {field: schooling.seat_by, is: proximity}",
         "when: {field: schooling.seat_by, is: lot}", "lot}", "flow.stages.4.when.is",
         "wrong_clause"),
    Slip(CHILD, "when: {field: schooling.seat_by, is: proximity}",
         "when: {age: subject, at_least: 6}", "when: {age:", "flow.stages.4.when.age",
         "no_ages_here"),
    Slip(RECOGNITION, "{stage: experts, is: passed}", "{stage: experts, is: asleep}", "asleep",
         "flow.stages.3.when.is", "wrong_clause"),
    Slip(PURCHASE, "{not: {fact: housing_benefit.kind, in: [rent, purchase]}}",
         "{not: {fact: housing_benefit.kind, in: [rent, buy]}}", "in: [rent, buy]",
         "flow.stages.4.checks.any.1.not.in.1", "wrong_clause"),
    Slip(DISCOUNT,
         "            - {field: discount.list_price_fen}\n"
         "            - {fact: recognition.class}\n"
         "    cites",
         "            - {field: discount.list_price_fen}\n    cites",
         "- cel: >-\n            discount.agreed_price_fen * 100 >=",
         "criteria.1.met_when.any.1.cel",
         "bad_expression"),
    Slip(ARRIVAL, "{field: applicant.degree, is: college}", "{field: applicant.degree, is: none}",
         "is: none", "edges.0.if.is", "wrong_clause"),
    Slip(ARRIVAL, "{field: applicant.degree, is: college}", "{field: lease.to, given: true}",
         "lease.to", "edges.0.if.field", "section_not_asked"),
    Slip(ARRIVAL, "{field: applicant.degree, is: college}", "{stage: acceptance, is: passed}",
         "stage: acceptance", "edges.0.if.stage", "unknown_stage"),
]  # fmt: skip

LAST = "    wait_until: {each_year: 08-20}\n    otherwise: proceed\n"
BACK = """\
  - {from: schooling, to: medical, kind: hard, otherwise: close}
  - {from: medical, to: settlement, kind: soft, otherwise: proceed}
"""
EDGES = [
    Slip(ARRIVAL, "  [recognition, settlement,", "  [recognition, citizenship, settlement,",
         "[recognition, citizenship", "offerings.1", "unknown_offering"),
    Slip(ARRIVAL, "schooling, spouse,\n   medical]", "schooling, spouse]", "to: medical",
         "edges.6.to", "offering_not_bundled"),
    Slip(ARRIVAL, "from: settlement", "from: citizenship", "from: citizenship", "edges.7.from",
         "offering_not_bundled"),
    Slip(ARRIVAL, "to: settlement\n", "to: recognition\n", "to: recognition", "edges.0.to",
         "edge_to_itself"),
    Slip(ARRIVAL, "to: housing_rent", "to: settlement",
         "to: settlement\n    kind: soft\n    on: approved\n    wait", "edges.1.to",
         "duplicate_edge"),
    # a cycle of two soft edges; of three, soft and hard
    Slip(ARRIVAL, "from: settlement\n    to: schooling", "from: settlement\n    to: recognition",
         "from: recognition\n    to: settlement", "edges.0", "edge_cycle"),
    Slip(ARRIVAL, LAST, LAST + BACK, "from: settlement\n    to: schooling", "edges.7",
         "edge_cycle"),
]  # fmt: skip
