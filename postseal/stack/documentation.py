"""Generate the tables of docs/stack-file.md from the code: certificate fields, maps, restrictions.

`python -m postseal.stack.documentation` writes them anew, between the marks in the page; a test says when to.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import Final, get_args, get_type_hints

from pki.declared import policy_of
from pki.fields import FIELDS, NOTHING_SAID, DeclaredCertificate, FieldOf, Group, SaidBy
from pki.model import Profile
from postfix.lookup_checks import meaning_of
from postfix.receiving import Maps
from postfix.restriction_names import RESTRICTIONS, Argument

__all__ = ["PAGE", "generated", "updated"]

PAGE: Final = Path("docs/stack-file.md")

_MARKED: Final = re.compile(r"(<!-- generated: (.+?) -->\n).*?(<!-- end -->\n)", re.DOTALL)
_SURFACES: Final[Mapping[SaidBy, str]] = {
    SaidBy.AUTHORITY: "authorities",
    SaidBy.SERVER: "servers",
    SaidBy.CLIENT: "clients",
    SaidBy.ROSTER: "rosters",
    SaidBy.ROW: "rows",
}
_HINTS: Final = MappingProxyType(get_type_hints(DeclaredCertificate))
_VALUES: Final[Mapping[object, str]] = {
    str: "text",
    bool: "`true` or `false`",
    int: "whole number",
    tuple[str, ...]: "list of texts",
}


def updated(page: str) -> str:
    """Return the page with the text between its marks regenerated."""
    return _MARKED.sub(lambda match: f"{match[1]}\n{generated(match[2])}\n\n{match[3]}", page)


def generated(what: str) -> str:
    """Return the generated text for a mark: `fields`, `lifetime`, `maps`, `restrictions`, or `fields of clients`."""
    if what == "fields":
        return _table(("key", "said by", "value", "default", "meaning"), _rows())
    if what == "lifetime":
        return _table(("key", "in rows", "value", "default", "meaning"), _lifetime_rows())
    if what == "maps":
        return _table(
            ("map", "what stands in a row"), ((f"`{each.name}`", meaning_of(each.name).words) for each in fields(Maps))
        )
    if what == "restrictions":
        return _table(("behind the name", "restrictions"), _restriction_rows())
    surfaces = {f"fields of {word}": surface for surface, word in _SURFACES.items()}
    return f"{', '.join(_words_said_by(surfaces[what]))}."


def _words_said_by(surface: SaidBy) -> Iterator[str]:
    """Yield the keys of a surface: its fields and groups of fields; rows have no groups."""
    said = {name: each for name, each in FIELDS.items() if surface in each.said_by}
    words = (name if surface is SaidBy.ROW else each.group.value or name for name, each in said.items())
    return (f"`{word}`" for word in dict.fromkeys(words))


def _rows() -> Iterator[tuple[str, ...]]:
    for name, each in FIELDS.items():
        if each.said_by and each.group is not Group.LIFETIME:
            key = f"{each.group}.{name}" if each.group else name
            yield f"`{key}`", _said_by(each), _value(name), _default(name), each.meaning


def _lifetime_rows() -> Iterator[tuple[str, ...]]:
    for name, each in FIELDS.items():
        if each.group is Group.LIFETIME:
            yield f"`{each.word}`", f"`{name}`", _value_in_lifetime(name), _default_in_lifetime(name), each.meaning


def _restriction_rows() -> Iterator[tuple[str, ...]]:
    for argument in Argument:
        names = sorted(name for name, each in RESTRICTIONS.items() if each.argument is argument)
        yield argument.value, ", ".join(f"`{name}`" for name in names)


def _said_by(each: FieldOf) -> str:
    said = [word for surface, word in _SURFACES.items() if surface in each.said_by]
    return "all" if len(said) == len(_SURFACES) else ", ".join(said)


def _value(name: str) -> str:
    kinds = [kind for kind in (get_args(_HINTS[name]) or (_HINTS[name],)) if kind is not type(None)]
    kind = _HINTS[name] if _HINTS[name] in _VALUES else kinds[0]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return ", ".join(f"`{each.value}`" for each in kind if each.value)
    return _VALUES[kind]


def _default(name: str) -> str:
    default = getattr(NOTHING_SAID, name)
    if default is None or default in ("", ()):
        return ""
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _value_in_lifetime(name: str) -> str:
    if name.endswith("_hours"):
        return "duration: `36h`, `365d`, `52w`, or a number of hours"
    return {"renew_fraction": "part: `2/3`, `0.66`", "renew_key_every": "`always`, `never`, or n"}.get(name) or _value(
        name
    )


def _default_in_lifetime(name: str) -> str:
    """Return the default of a policy; where it depends on the profile, that of each."""
    words = {profile: _policy_word(name, profile) for profile in Profile}
    if len(set(words.values())) == 1:
        return words[Profile.CLIENT]
    authorities = [f"{profile.value} {word}" for profile, word in words.items() if profile.is_authority]
    return ", ".join((*authorities, f"others {words[Profile.CLIENT]}"))


def _policy_word(name: str, profile: Profile) -> str:
    value = getattr(policy_of(NOTHING_SAID, profile), name)
    if name == "renew_key_every":
        return "`always`"
    if value is None:
        return ""
    return f"`{value // 24}d`" if name.endswith("_hours") else f"`{value}`"


def _table(header: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    lines = (header, ("---",) * len(header), *rows)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


if __name__ == "__main__":
    PAGE.write_text(updated(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
