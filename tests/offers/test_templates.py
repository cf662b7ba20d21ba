"""
A retailer words its posts by language, kind and network; what could not make a post
that is found again is refused when it is saved, and the field is named.
"""

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from offers.errors import InvalidField
from offers.posts import PostKind
from offers.templates import (
    ANNOUNCEMENT,
    FIELDS,
    LONGEST,
    MOST_LINES,
    Piece,
    PostTemplate,
    check_body,
    choose_template,
    drop_template,
    keep_template,
    pieces,
    templates,
)
from tests.factories import HOUR, NOON, make_retailer, north

BODY = "{title} {price} {link}"


def keep(session: Session, body: str = BODY, **facts: str) -> PostTemplate:
    retailer_id = facts.pop("retailer_id", "") or north(session).id
    named = {"language": "en", "kind": ANNOUNCEMENT, **facts}
    return keep_template(session, retailer_id, body=body, now=NOON, **named)


class TestChecking:
    @pytest.mark.parametrize(
        ("body", "said"),
        [
            ("", "Fill this in."),
            (" \n ", "Fill this in."),
            ("{title} {price}", "The field {link} is missing."),
            ("{title} {link}", "The field {price} is missing."),
            ("{prize} {price} {link}", "There is no field {prize}."),
            ("{Price} {price} {link}", "There is no field {Price}."),
            ("{} {price} {link}", "There is no field {}."),
            ("{price!r} {price} {link}", "There is no field {price!r}."),
            ("{price.currency} {link}", "There is no field {price.currency}."),
            ("{title {price} {link}", "A brace has no other half"),
            ("{price} {link} :-}", "A brace has no other half"),
            ("{price} {link} or {link}", "Write {link} only once."),
            ("{price} {link} {next} {next}", "Write {next} only once."),
            ("{price} ({link})", "a line break on both sides of {link}."),
            ("{price} {link}.", "a line break on both sides of {link}."),
            ("{price}{link}", "a line break on both sides of {link}."),
            ("{price} →{next} {link}", "a line break on both sides of {next}."),
            (BODY + "x" * LONGEST, f"Use {LONGEST} characters at most."),
            (BODY + "\nx" * MOST_LINES, f"Use {MOST_LINES} lines at most."),
            (BODY + " {title}" * 3, "Write {title} 3 times at most."),
        ],
    )
    def test_names_what_is_wrong(self, body, said) -> None:
        with pytest.raises(InvalidField) as refusal:
            check_body(ANNOUNCEMENT, body)

        assert refusal.value.field == "body"
        assert said in str(refusal.value.sentence)

    @pytest.mark.parametrize(
        "body",
        [
            BODY,
            "{price}\n{link}",
            "→ {link} ←\n{price}{units}",
            " ".join(f"{{{field}}}" for field in FIELDS),
        ],
    )
    def test_takes_what_names_price_and_link(self, body) -> None:
        assert check_body(ANNOUNCEMENT, body) == body

    def test_wants_a_price_in_the_announcement_alone(self) -> None:
        for kind in set(PostKind) - {PostKind.ANNOUNCEMENT}:
            assert check_body(kind, "{link}") == "{link}"

    def test_keeps_lines_as_browsers_send_them(self) -> None:
        body = "\r\n{title}  \r\n\r\n{price}\r\n{link}\r\n"

        assert check_body(ANNOUNCEMENT, body) == "{title}\n\n{price}\n{link}"


def test_a_line_is_taken_to_pieces() -> None:
    assert list(pieces("Now {price}!")) == [
        Piece("Now "),
        Piece("price", is_field=True),
        Piece("!"),
    ]
    assert list(pieces("")) == []


class TestKeeping:
    def test_keeps_one_of_each(self, session: Session) -> None:
        first = keep(session)

        again = keep_template(
            session,
            first.retailer_id,
            language="en",
            kind=ANNOUNCEMENT,
            body=BODY + " !",
            now=NOON + HOUR,
        )

        assert session.exec(select(PostTemplate)).all() == [again]
        assert (again.id, again.body) == (first.id, BODY + " !")
        assert again.changed_at == NOON + HOUR

    def test_keeps_nothing_that_is_refused(self, session: Session) -> None:
        kept = keep(session)

        with pytest.raises(InvalidField):
            keep(session, "{title}")

        assert kept.body == BODY

    def test_tells_retailers_languages_kinds_and_networks_apart(
        self, session: Session
    ) -> None:
        keep(session, retailer_id=make_retailer(session).id)
        mine = [
            keep(session),
            keep(session, network="x"),
            keep(session, kind="over"),
        ]
        keep(session, language="fr")

        assert templates(session, north(session).id, "en") == mine

    def test_holds_one_of_each_even_in_the_database(self, session: Session) -> None:
        first = keep(session)
        session.commit()

        session.add(PostTemplate(**{**first.model_dump(), "id": "template_other"}))
        with pytest.raises(IntegrityError):
            session.flush()


class TestDropping:
    def test_goes_back_to_what_is_said_without(self, session: Session) -> None:
        general, own = keep(session), keep(session, network="x")
        named = {"language": "en", "kind": ANNOUNCEMENT}

        for _ in range(2):
            drop_template(session, own.retailer_id, **named, network="x")

        assert templates(session, general.retailer_id, "en") == [general]

    def test_leaves_another_retailers(self, session: Session) -> None:
        kept = keep(session, retailer_id=make_retailer(session).id)

        drop_template(session, north(session).id, language="en", kind=ANNOUNCEMENT)

        assert templates(session, kept.retailer_id, "en") == [kept]


class TestChoosing:
    def test_takes_the_networks_own_then_the_general_one(
        self, session: Session
    ) -> None:
        general, own = keep(session), keep(session, network="x")
        kept = [own, keep(session, kind="over", network="mastodon"), general]

        def chosen(kind: str, network: str) -> PostTemplate | None:
            return choose_template(kept, kind=kind, network=network)

        assert chosen(ANNOUNCEMENT, "x") is own
        assert chosen(ANNOUNCEMENT, "mastodon") is general
        assert chosen("over", "x") is None
