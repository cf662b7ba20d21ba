"""Sentences: what is said to people, kept apart from the language it is said in.

A sentence is a template and its facts. Written out as it stands it is English; the
pages look the template up in the reader's language and print the facts (money,
moments) in the reader's way.
"""

import json
from typing import Any


class Sentence:
    """*template* with its *facts*; equal sentences say the same."""

    __slots__ = ("facts", "template")

    def __init__(self, template: str, /, **facts: object) -> None:
        self.template = template
        self.facts = facts

    def __str__(self) -> str:
        return self.template.format(**self.facts)

    def __repr__(self) -> str:
        return f"Sentence({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Sentence)
            and self.template == other.template
            and self.facts == other.facts
        )

    def __hash__(self) -> int:
        return hash((self.template, tuple(sorted(self.facts))))


def dump_sentence(sentence: Sentence) -> str:
    return json.dumps(_kept(sentence), ensure_ascii=False)


def _kept(fact: object) -> object:
    if not isinstance(fact, Sentence):
        return str(fact)
    return [fact.template, {name: _kept(part) for name, part in fact.facts.items()}]


def load_sentence(text: str) -> Sentence:
    template, facts = json.loads(text)
    return _said(template, facts)


def _said(template: str, facts: dict[str, Any]) -> Sentence:
    said = {name: _said(*f) if isinstance(f, list) else f for name, f in facts.items()}
    return Sentence(template, **said)
