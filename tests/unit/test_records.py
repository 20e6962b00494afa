"""Records: what is decided is handed on as values that nobody changes on the way."""

import importlib
import os
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import StrEnum
from functools import cache, cached_property
from pathlib import Path
from typing import Any, TypeGuard, get_args, get_type_hints

import pki
import postfix
import postseal
import postseal_core
from pki.fields import DeclaredCertificate, FieldOf
from pki.keys import PrivateKey
from postseal.provider import handlers
from postseal_core.plugin.codec import Decoded
from postseal_core.plugin.handler import CheckRequest
from postseal_core.records import INLINE, SECRET, Wire

GOLDEN = Path(__file__).parents[1] / "golden" / "records.txt"

PACKAGES = (pki, postfix, postseal, postseal_core)
FILLED_PIECE_BY_PIECE = {
    "postseal.seen.tally.Tally",
    "postseal.seen.tally._Host",
    "postseal.seen.tally._Span",
    "pki.roster.decisions.RosterDecision",
    "pki.roster.dues.Dues",
    "postfix.host_resource.inspection.Inspection",
    "postseal.stack.reading.Found",
}


def _module_names() -> Iterator[str]:
    for package in PACKAGES:
        yield from (found.name for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."))


@cache
def records() -> dict[str, Any]:
    """Return every record of the packages by its full name."""
    found = (value for name in _module_names() for value in vars(importlib.import_module(name)).values())
    return {f"{each.__module__}.{each.__qualname__}": each for each in found if _is_record(each)}


def _is_ours(value: type[Any]) -> bool:
    return value.__module__.partition(".")[0] in {package.__name__ for package in PACKAGES}


def _is_record(value: object) -> bool:
    return isinstance(value, type) and is_dataclass(value) and _is_ours(value)


def test_every_record_is_frozen_but_those_that_are_filled_piece_by_piece() -> None:
    """What one function decided, no other one changes."""
    assert {
        name for name, record in records().items() if not record.__dataclass_params__.frozen
    } == FILLED_PIECE_BY_PIECE


def test_a_record_has_no_other_attributes_than_its_fields() -> None:
    """A misspelt attribute is an error, and a roster of 10,000 clients stays small."""
    plain = {name: record for name, record in records().items() if "__slots__" not in vars(record)}
    assert [name for name, record in plain.items() if not _remembers(record)] == []


def _remembers(record: type[Any]) -> bool:
    """Return whether it keeps what it has once worked out, for which slots have no room."""
    return any(isinstance(value, cached_property) for value in vars(record).values())


def test_what_is_stored_or_sent_is_made_by_names() -> None:
    """Two texts that change places would be stored like that."""
    stored = {name: record for name, record in records().items() if record.__module__.endswith(".records")}
    stored["pki.fields.DeclaredCertificate"] = DeclaredCertificate
    assert len(stored) > 30
    positional = [name for name, record in stored.items() if not all(field.kw_only for field in fields(record))]
    assert [name for name in positional if not name.startswith("postseal_core.")] == []


SECRETS = re.compile("private_keys?_pem|private_keys|kept_key_pem|passphrase|handovers?|archives|archive_p12_base64")
OF_NO_SECRET = {
    "pki.certificate.takeover.Takeover.handover",  # a record, which hides its own
    "postseal.doctor.facts.Facts.passphrase",  # where it comes from
    "postseal.stack.components.BuiltStack.archives",  # resources
}


def test_no_repr_shows_a_secret() -> None:
    """A record ends up in a traceback or in the message of a test sooner than anybody thinks."""
    secret = {
        f"{name}.{each.name}": each.repr
        for name, record in records().items()
        for each, hint in zip(fields(record), _hints(record), strict=True)
        if SECRETS.fullmatch(each.name) or _is_secret(hint) or hint == PrivateKey or each.type is bytes
    }
    assert len(secret) > 30
    assert [name for name, is_shown in secret.items() if is_shown and name not in OF_NO_SECRET] == []


def _hints(record: type[Any]) -> Iterator[Any]:
    """Yield the types of a record's fields; of one that names what only type checkers import, the names."""
    try:
        hints = get_type_hints(record, include_extras=True)
    except NameError:
        hints = {}
    yield from (hints.get(each.name, each.type) for each in fields(record))


def _is_secret(hint: Any) -> bool:
    return SECRET in getattr(hint, "__metadata__", ())


def test_what_goes_from_hand_to_hand_in_the_plugin_shows_no_value() -> None:
    """Any of them may be a secret, marked or not."""
    assert repr(CheckRequest(old="hush", new="hush")) == "CheckRequest()"
    assert "hush" not in repr(Decoded({"a": "hush"}, frozenset()))


def test_the_stored_shape_of_every_resource_is_the_reviewed_one() -> None:
    """A name or a default that changes is read otherwise from every state there is: see UPGRADES in a record."""
    found = "\n\n".join([*map(_shape, _stored_records()), "\n".join(_vocabularies())]) + "\n"
    if os.environ.get("UPDATE_GOLDEN") == "1":
        GOLDEN.write_text(found, encoding="utf-8")
    command = "UPDATE_GOLDEN=1 .venv/bin/pytest tests/unit/test_records.py"
    assert found == GOLDEN.read_text(encoding="utf-8"), (
        f"run `{command}`, review the diff of tests/golden/records.txt, and add to UPGRADES of a record what older "
        "states spell otherwise"
    )


def _vocabularies() -> list[str]:
    """Return every vocabulary of the packages with its words: they stand in states, stack files and reports."""
    values = [value for name in _module_names() for value in list(vars(importlib.import_module(name)).values())]
    found = {value for value in values if _is_words(value)}
    return sorted(
        f"{each.__module__}.{each.__qualname__}: {', '.join(repr(word.value) for word in each)}" for each in found
    )


def _is_words(value: object) -> TypeGuard[type[StrEnum]]:
    return isinstance(value, type) and issubclass(value, StrEnum) and value is not StrEnum and _is_ours(value)


def _stored_records() -> list[type[Any]]:
    """Return the records of every resource type, and those that stand in them, by their names."""
    waiting = [kind for handler in handlers() for kind in (handler.args, handler.inputs, handler.state)]
    found: set[type[Any]] = set()
    while waiting:
        record = waiting.pop()
        if record not in found:
            found.add(record)
            hints = get_type_hints(record)
            waiting += [kind for each in fields(record) for kind in _parts(hints[each.name]) if _is_record(kind)]
    return sorted(found, key=lambda record: f"{record.__module__}.{record.__qualname__}")


def _parts(hint: Any) -> Iterator[Any]:
    if isinstance(hint, type):
        yield hint
    for part in get_args(hint):
        yield from _parts(part)


def _shape(record: type[Any]) -> str:
    hints = get_type_hints(record, include_extras=True)
    version = 1 + len(getattr(record, "UPGRADES", ()))
    title = f"{record.__module__}.{record.__qualname__}, version {version}"
    complete = ", every field is stored" if getattr(record, "IS_COMPLETE", False) else ""
    return "\n".join([title + complete, *(f"    {_field(each, hints[each.name])}" for each in fields(record))])


def _field(each: "Field[Any]", hint: Any) -> str:
    marks = getattr(hint, "__metadata__", ())
    wire = next((mark.name for mark in marks if isinstance(mark, Wire)), each.name)
    words = [word for word, mark in (("secret", SECRET), ("inlined", INLINE)) if mark in marks]
    told = each.metadata.get(FieldOf)
    words += [word for word in ("is_content", "is_compared") if getattr(told, word, False)]
    default = each.default_factory() if each.default_factory is not MISSING else each.default
    words.append("required" if default is MISSING else f"else {default!r}")
    return f"{wire}: {', '.join(words)}"
