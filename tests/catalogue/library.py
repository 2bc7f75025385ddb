"""What a library brings to the demonstration pack: departments, a kind of fact, an offering."""

from __future__ import annotations

DEPARTMENTS = """\
departments:
  - code: library
    name: {zh: 图书馆, en: Library}
    kind: government
  - code: archive
    name: {zh: 档案馆, en: Archive}
    kind: company
"""
FILES = {
    "facts/reader.yaml": """\
code: reader
title: {zh: 读者证, en: Reader's card}
schema:
  type: object
  additionalProperties: false
  required: [branch, number]
  properties:
    branch:
      x-title: {zh: 分馆, en: Branch}
      enum: [main, harbour]
      x-options:
        main: {zh: 总馆, en: Main}
        harbour: {zh: 港湾分馆, en: Harbour}
    number:
      x-title: {zh: 证号, en: Number}
      type: string
      pattern: ^R[0-9]{6}$
  examples:
    - {branch: main, number: R000042}
""",
    "materials/photo.yaml": """\
code: photo
scope: item
title: {zh: 照片, en: Photo}
formats: [jpg, png]
""",
    "sections/reading.yaml": """\
code: reading
scope: item
title: {zh: 借阅需求, en: What you read}
schema:
  type: object
  additionalProperties: false
  required: [branch, books]
  properties:
    books:
      x-title: {zh: 每月借书数, en: Books a month}
      type: integer
      minimum: 1
      maximum: 100
    branch:
      x-title: {zh: 分馆, en: Branch}
      x-prefill: {fact: reader.branch}
      enum: [main, harbour]
      x-options:
        main: {zh: 总馆, en: Main}
        harbour: {zh: 港湾分馆, en: Harbour}
    manuscripts:
      x-title: {zh: 是否查阅手稿, en: Manuscripts too}
      type: boolean
  examples:
    - {books: 6, branch: harbour, manuscripts: false}
    - {books: 2, branch: main, manuscripts: true}
rules:
  - at: manuscripts
    must:
      any:
        - {field: reading.branch, is: main}
        - {not: {field: reading.manuscripts, is: true}}
    message: {zh: 手稿只在总馆查阅, en: Manuscripts are at the main branch alone.}
""",
    "offerings/reader_card.yaml": """\
code: reader_card
title: {zh: 读者证, en: Reader's card}
summary: {zh: 人才免费办理读者证。, en: Talents receive a reader's card for nothing.}
subject: self
sections: [applicant, reading]
citations:
  - code: rules
    title: {zh: 《图书馆借阅规则》, en: Library rules}
materials:
  - {code: id_card}
  - {code: photo, when: {field: reading.books, at_least: 5}}
criteria:
  - code: moderate
    title: {zh: 每月不超过二十册, en: Twenty books a month at the most}
    met_when: {field: reading.books, at_most: 20}
    cites: {citation: rules, article: {zh: 第三条, en: article 3}}
flow:
  promise: {working_days: 9}
  stages:
    - key: acceptance
      kind: acceptance
      title: {zh: 受理, en: Acceptance}
      department: library
      role: clerk
      limit: {working_days: 2}
      sees: {sections: {reading: [branch]}, materials: all}
    - key: shelves
      kind: review
      title: {zh: 馆藏会审, en: Are there enough books}
      departments: [library, archive]
      join: all
      role: reviewer
      after: [acceptance]
      when: {field: reading.books, at_least: 5}
      limit: {working_days: 3}
      sees: {sections: {reading: [books, branch]}}
    - key: vault
      kind: review
      title: {zh: 手稿审批, en: The vault is opened}
      department: archive
      role: head
      after: [acceptance]
      when: {field: reading.manuscripts, is: true}
      limit: {working_days: 5}
      sees: {sections: {reading: all}}
    - key: one_card
      kind: check
      title: {zh: 一人一证, en: One card each}
      after: [shelves, vault]
      limit: {working_days: 1}
      checks: {fact: reader, given: false}
      cites: {citation: rules}
      sees: {sections: {}}
    - key: decision
      kind: decision
      title: {zh: 决定, en: Decision}
      department: library
      role: head
      after: [one_card]
      four_eyes: true
      limit: {working_hours: 20}
      sees: {sections: {applicant: [degree], reading: all}, facts: [reader]}
      records:
        type: object
        additionalProperties: false
        required: [number]
        properties:
          number:
            x-title: {zh: 证号, en: Number}
            type: string
            pattern: ^R[0-9]{6}$
        examples:
          - {number: R000042}
      gives:
        - fact: reader
          value: {branch: {field: reading.branch}, number: {result: number}}
          until: {years: 2}
    - key: handing_out
      kind: fulfilment
      title: {zh: 发证, en: The card is handed out}
      department: {by: {field: reading.branch}, cases: {main: archive}, otherwise: library}
      role: clerk
      after: [decision]
      limit: {working_days: 2}
      sees: {sections: {}}
""",
    "bundles/reading.yaml": """\
code: reading
title: {zh: 阅读“一件事”, en: Reading}
summary: {zh: 落户与读者证一次办理。, en: Settle and read.}
offerings: [settlement, reader_card]
edges:
  - {from: settlement, to: reader_card, kind: soft, otherwise: proceed}
""",
}
