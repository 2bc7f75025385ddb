"""Slips in what an offering names: sections, materials, departments, and what a decision gives."""

from __future__ import annotations

from tests.catalogue.packs import Slip

PACK = "pack.yaml"
SETTLEMENT = "offerings/settlement.yaml"
RENT = "offerings/housing_rent.yaml"
PURCHASE = "offerings/housing_purchase.yaml"
SPOUSE = "offerings/spouse.yaml"
MEDICAL = "offerings/medical.yaml"
CHILD = "offerings/schooling.yaml"
RECOGNITION = "offerings/recognition.yaml"

NAMES = [
    Slip(SETTLEMENT, "sections: [applicant, employment, residence, household]",
         "sections: [applicant, employment, residence, household, shoe_size]", "shoe_size",
         "sections.4", "unknown_section"),
    Slip(SETTLEMENT, "- {code: id_card}", "- {code: passport}", "passport", "materials.0.code",
         "unknown_material"),
    Slip(SETTLEMENT, "- {code: household_booklet}", "- {code: id_card}",
         "id_card}\n  - {code: degree", "materials.1.code", "duplicate_code"),
    Slip(SETTLEMENT, "code: licensing_law", "code: rules", "- code: rules\n    title: {zh: 《东湾",
         "citations.2.code", "duplicate_code"),
    Slip(SETTLEMENT, "code: employed", "code: talent", "- code: talent\n    title: {zh: 在本区",
         "criteria.1.code", "duplicate_code"),
    Slip(SETTLEMENT, "{citation: rules, article: {zh: 第六条",
         "{citation: custom, article: {zh: 第六条", "custom", "criteria.2.cites.citation",
         "unknown_citation"),
]  # fmt: skip

DEPARTMENTS = [
    Slip(SETTLEMENT, "department: public_security\n      role: reviewer",
         "department: secret_service\n      role: reviewer", "secret_service",
         "flow.stages.1.department", "unknown_department"),
    Slip(RENT, "departments: [construction, human_resources]",
         "departments: [construction, gardening]", "gardening", "flow.stages.1.departments.1",
         "unknown_department"),
    Slip(RENT, "departments: [construction, human_resources]",
         "departments: [construction, human_resources]\n      department: finance",
         "departments:", "flow.stages.1.departments", "departments_twice"),
    Slip(MEDICAL, "otherwise: hospital_alliance", "otherwise: clinic", "clinic",
         "flow.stages.4.department.otherwise", "unknown_department"),
    Slip(MEDICAL, "{A: health, B: health}", "{A: health, B: sanitation}", "sanitation",
         "flow.stages.4.department.cases.B", "unknown_department"),
    Slip(MEDICAL, "{A: health, B: health}", "{A: health, Z: health}", "Z: health",
         "flow.stages.4.department.cases.Z", "wrong_clause"),
    Slip(MEDICAL, "by: {fact: recognition.class}", "by: {fact: recognition.grade}",
         "recognition.grade", "flow.stages.4.department.by.fact", "unknown_value"),
    Slip(MEDICAL, "by: {fact: recognition.class}", "by: {fact: rank.class}", "rank.class",
         "flow.stages.4.department.by.fact", "unknown_fact"),
    Slip(CHILD,
         "      # Kindergartens belong to the zone, compulsory education to the education bureau.\n"
         "      department:\n"
         "        by: {field: schooling.stage}",
         "      department:\n        by: {field: schooling.floor}", "schooling.floor",
         "flow.stages.5.department.by.field", "unknown_field"),
    Slip(CHILD,
         "      # Kindergartens belong to the zone, compulsory education to the education bureau.\n"
         "      department:\n"
         "        by: {field: schooling.stage}",
         "      department:\n        by: {field: residence.basis}", "residence.basis",
         "flow.stages.5.department.by.field", "section_not_asked"),
]  # fmt: skip

SIGHTS = [
    Slip(RENT, "lease: [contract_number, address, from, to, no_home_here]",
         "lease: [contract_number, size]", "size", "flow.stages.1.sees.sections.lease.1",
         "unknown_field"),
    Slip(MEDICAL, "        sections:\n          medical: [covers_spouse, covered_children]",
         "        sections:\n          household: all", "household: all",
         "flow.stages.1.sees.sections.household", "section_not_asked"),
    Slip(MEDICAL, "facts: [household, marriage, kinship]", "facts: [household, love]", "love",
         "flow.stages.1.sees.facts.1", "unknown_fact"),
    Slip(MEDICAL, "materials: [marriage_certificate, birth_certificate]",
         "materials: [marriage_certificate, cv]", "cv", "flow.stages.1.sees.materials.1",
         "material_not_asked"),
    Slip(SETTLEMENT,
         "        materials: all\n    - key: decision\n",
         "        materials: all\n        subject: [name]\n    - key: decision\n",
         "subject: [name]", "flow.stages.0.sees.subject", "no_subject"),
    Slip(RENT, "        materials: [lease_contract, no_home_certificate]\n      records:",
         "        materials: [lease_contract, no_home_certificate]\n"
         "        opinions: [acceptance, gossip]\n      records:", "gossip",
         "flow.stages.3.sees.opinions.1", "unknown_opinion"),
    Slip(CHILD, "subject: [name]\n", "subject: [name, phone]\n", "[name, phone]",
         "flow.stages.4.sees.subject.1", "wrong_value"),
    Slip(CHILD, "subject: [name]\n", "subject: most\n", "subject: most",
         "flow.stages.4.sees.subject", "wrong_value"),
    Slip(CHILD, "subject: [name]\n", "subject: [name, name]\n", "subject: [name, name]",
         "flow.stages.4.sees.subject", "wrong_value"),
]  # fmt: skip

GIFTS = [
    Slip(SETTLEMENT, "- fact: household", "- fact: castle", "castle", "flow.stages.1.gives.0.fact",
         "unknown_fact"),
    Slip(SETTLEMENT, "into: {field: household.into}", "moat: {field: household.into}", "moat",
         "flow.stages.1.gives.0.value.moat", "unknown_value", also=("fact_invalid",)),
    Slip(SETTLEMENT, "into: {field: household.into}", "into: {field: household.floor}", "floor",
         "flow.stages.1.gives.0.value.into.field", "unknown_field"),
    Slip(SETTLEMENT, "into: {field: household.into}", "into: {field: lease.address}",
         "lease.address", "flow.stages.1.gives.0.value.into.field", "section_not_asked"),
    Slip(SETTLEMENT, "permit_number: {result: permit_number}", "permit_number: {result: stamp}",
         "stamp", "flow.stages.1.gives.0.value.permit_number.result", "unknown_result"),
    Slip(SETTLEMENT, 'region: "350100"', "region: 350100", "value:", "flow.stages.1.gives.0.value",
         "fact_invalid"),
    Slip(SETTLEMENT, '            region: "350100"\n', "", "value:", "flow.stages.1.gives.0.value",
         "fact_invalid"),
    Slip(SETTLEMENT, "into: {field: household.into}", "into: {field: household.children}", "value:",
         "flow.stages.1.gives.0.value", "fact_invalid"),
    Slip(RECOGNITION, "level: district", "level: {result: certificate_number}", "value:",
         "flow.stages.5.gives.0.value", "fact_invalid"),
    Slip(SETTLEMENT, "about: applicant", "about: subject", "about:", "flow.stages.1.gives.0.about",
         "no_subject"),
    Slip(RENT, "until: {field: lease.to}", "until: {field: lease.end}", "lease.end",
         "flow.stages.3.gives.1.until.field", "unknown_field"),
    Slip(MEDICAL, "until: {result: valid_until}", "until: {result: expiry}", "expiry",
         "flow.stages.3.gives.0.until.result", "unknown_result"),
]  # fmt: skip
