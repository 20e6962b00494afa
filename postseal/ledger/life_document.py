"""Lives as text and JSON; pure."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from postseal.ledger.life import Life, LifeEvent
from postseal.report.table import printable
from postseal.review.words import moment
from postseal_core.instants import format_instant

__all__ = ["FORMAT_VERSION", "render_lives", "render_lives_json"]

FORMAT_VERSION: Final = 1
"""Raised when a name goes or means something else; further names may come."""


def render_lives(lives: Iterable[Life], now: datetime) -> str:
    """Return each life: what was until now, and what is to come; all times UTC."""
    texts = ("".join(f"{printable(line)}\n" for line in _lines(each, now)) for each in lives)
    return "\n".join(texts)


def _lines(life: Life, now: datetime) -> Iterator[str]:
    roster = f" of roster {life.roster}" if life.roster else ""
    known_as = f" ({', '.join(life.known_as)})" if life.known_as else ""
    yield f"{life.name}{known_as}: {life.kind.replace('_', ' ')}{roster}, all times UTC"
    past = [each for each in life.events if each.at <= now]
    yield from map(_line, past)
    if past != list(life.events):
        yield "  to come:"
        yield from map(_line, life.events[len(past) :])
    yield from (f"  note: {each}" for each in life.notes)


def _line(event: LifeEvent) -> str:
    which = "" if event.generation is None else f"generation {event.generation} "
    return f"  {moment(event.at)}  {which}{event.sentence}"


def render_lives_json(lives: Iterable[Life], now: datetime) -> str:
    """Return the lives as a JSON document."""
    document = {
        "format_version": FORMAT_VERSION,
        "now": format_instant(now),
        "lives": [_plain(each) for each in lives],
    }
    return json.dumps(document, indent=2) + "\n"


def _plain(life: Life) -> Mapping[str, Any]:
    return {
        "name": life.name,
        "kind": life.kind,
        "roster": life.roster or None,
        "known_as": list(life.known_as),
        "events": [
            {
                "at": format_instant(each.at),
                "what": each.what.value,
                "generation": each.generation,
                "host": each.host or None,
                "sentence": each.sentence,
            }
            for each in life.events
        ],
        "notes": list(life.notes),
    }
