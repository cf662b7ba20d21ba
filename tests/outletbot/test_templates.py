"""
What a page names, it names once: else a label would lead to something that is no field.
"""

import re
from collections import Counter
from pathlib import Path

import pytest

import outletbot.web

TEMPLATES = Path(outletbot.web.__file__).parent / "templates"
NAMED = re.compile(r'\bid="([\w-]+)"|\b(?:field|area|choice)\(\s*"([\w-]+)"')
ALTERNATIVES = {"connect.html": {"base_url", "token"}}
"""Fields of which a page shows one or the other."""


@pytest.mark.parametrize(
    "path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: path.name
)
def test_no_two_things_have_one_id(path: Path) -> None:
    names = Counter(one or other for one, other in NAMED.findall(path.read_text()))

    twice = {name for name, count in names.items() if count > 1}
    assert twice <= ALTERNATIVES.get(path.name, set())
