"""Evidence to take away: what posts relied on, as a table or as JSON."""

import json
from collections.abc import Sequence
from datetime import datetime, tzinfo

from aiohttp import hdrs, web

from offers.evidence import PostEvidence, basis_of
from offers.money import Money
from outletbot.web.desk.spreadsheets import Cell, send_csv

HEADER = (
    "went_out",
    "post",
    "deal",
    "offer",
    "sku",
    "title",
    "channel",
    "kind",
    "currency",
    "price",
    "price_before",
    "percent",
    "rule",
    "ground",
    "country",
    "charged_from",
    "charged_until",
    "basis",
    "text",
)


def send_evidence(
    kept: Sequence[PostEvidence], name: str, kind: str, *, zone: tzinfo
) -> web.Response:
    """Answer with a file of *kept* evidence: ``csv`` or ``json``."""
    if kind == "csv":
        return send_csv(f"{name}.csv", HEADER, map(_row, kept), zone=zone)
    body = json.dumps([_facts(one, zone) for one in kept], ensure_ascii=False, indent=1)
    return web.Response(
        body=body.encode(),
        headers={
            hdrs.CONTENT_TYPE: "application/json; charset=utf-8",
            hdrs.CONTENT_DISPOSITION: f'attachment; filename="{name}.json"',
        },
    )


def _row(one: PostEvidence) -> Sequence[Cell]:
    return (
        one.noted_at,
        one.post_id,
        one.deal_id,
        one.offer_id,
        one.sku,
        one.title,
        one.channel,
        one.kind.value,
        one.currency.upper(),
        one.price,
        one.prior,
        one.percent,
        one.rule.value,
        one.ground.value,
        one.country,
        one.since,
        one.until,
        one.basis,
        one.text,
    )


def _facts(one: PostEvidence, zone: tzinfo) -> dict[str, object]:
    facts: dict[str, object] = {}
    for name, cell in zip(HEADER, _row(one), strict=True):
        facts[name] = _json(cell, zone)
    return {**facts, "basis": basis_of(one)}


def _json(cell: Cell, zone: tzinfo) -> object:
    match cell:
        case datetime():
            return cell.astimezone(zone).isoformat(timespec="seconds")
        case Money():
            return f"{cell.value:f}"
        case _:
            return cell
