"""
How files of one shape are read, remembered.
"""

import json

from sqlmodel import Session

from offers.memories import find_memory, fingerprint_of, fitted, forget, remember
from tests.factories import HOUR, NOON, make_import, make_retailer

CHOICES = {"mapping": {"worth": "cost"}}


def test_a_header_is_the_same_however_it_is_written() -> None:
    plain = fingerprint_of(["sku", "Prix TTC", "titre"])

    assert fingerprint_of(["SKU", "prix ttc", " Titre "]) == plain
    assert fingerprint_of(["sku", "Prix TTC", "titre", "error"]) == plain
    assert fingerprint_of(["sku", "titre", "Prix TTC"]) != plain
    assert fingerprint_of(["", ""]) == ""


def test_choices_name_columns_as_the_new_header_does() -> None:
    choices = {
        "mapping": {"Worth": "cost", "Gone": ""},
        "answers": {"mark:Prix TTC": ",", "clearance": "Prix TTC", "units": "5"},
        "currency": "gbp",
    }

    assert fitted(choices, ["SKU", "worth", "PRIX TTC"]) == {
        "mapping": {"worth": "cost", "Gone": ""},
        "answers": {"mark:PRIX TTC": ",", "clearance": "PRIX TTC", "units": "5"},
        "currency": "gbp",
    }
    assert fitted({}, ["SKU"]) == {}


def test_what_was_chosen_is_found_again(session: Session) -> None:
    feed = make_import(session, fingerprint="f")

    assert remember(session, feed, CHOICES, now=NOON) is True
    assert remember(session, feed, CHOICES, now=NOON) is False

    found = find_memory(session, feed.retailer_id, "f")
    assert found is not None
    assert json.loads(found.choices) == CHOICES
    assert (found.version, found.import_id, found.file_name) == (
        1,
        feed.id,
        feed.file_name,
    )


def test_another_choice_makes_another_version(session: Session) -> None:
    feed = make_import(session, fingerprint="f")
    remember(session, feed, CHOICES, now=NOON)

    remember(session, feed, {"currency": "gbp"}, now=NOON + HOUR)

    found = find_memory(session, feed.retailer_id, "f")
    assert found is not None
    assert found.version == 2
    assert json.loads(found.choices) == {"currency": "gbp"}


def test_what_is_forgotten_is_not_used_until_chosen_again(session: Session) -> None:
    feed = make_import(session, fingerprint="f")
    remember(session, feed, CHOICES, now=NOON)

    assert forget(session, feed.retailer_id, "f", now=NOON) is True
    assert forget(session, feed.retailer_id, "f", now=NOON) is False
    assert find_memory(session, feed.retailer_id, "f") is None
    assert remember(session, feed, CHOICES, now=NOON) is True
    again = find_memory(session, feed.retailer_id, "f")
    assert again is not None
    assert again.version == 2


def test_it_is_each_retailers_own(session: Session) -> None:
    feed = make_import(session, fingerprint="f")
    remember(session, feed, CHOICES, now=NOON)
    south = make_retailer(session).id

    assert find_memory(session, south, "f") is None
    assert forget(session, south, "f", now=NOON) is False


def test_a_file_without_a_header_is_not_remembered(session: Session) -> None:
    feed = make_import(session, fingerprint="")

    assert remember(session, feed, CHOICES, now=NOON) is False
