"""Says under which licence each package of the lock file may be used, as its own metadata states it."""

import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

__all__ = ["Package", "is_allowed", "licence_of", "licence_page", "locked_packages", "problems_of_licences"]

PROJECT = "postseal"

FOR_USERS = frozenset({"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "MIT", "MIT-0", "PSF-2.0"})
"""Licences that ask whoever installs the wheel for no more than a notice."""

UNCHANGED = {"publicsuffixlist": "MPL-2.0"}
"""Packages that the wheel asks for, under a licence about changes of their files; none of those is in the wheel."""

FOR_DEVELOPMENT = FOR_USERS | {"BSD", "LGPL", "MPL-2.0", "Public Domain"}
"""Those, and licences that are fine for tools which are run here and never handed on."""

_SPELLINGS = {
    "Apache 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",
    "BSD 2-Clause License": "BSD-2-Clause",
    "3-Clause BSD License": "BSD-3-Clause",
    "GNU Library or Lesser General Public License (LGPL)": "LGPL",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
"""What older metadata says -> the name in the list of SPDX."""

_LONGEST_NAME = 40
"""Some metadata has the whole text of a licence where its name belongs."""

_NOT_HERE = {"colorama": "BSD-3-Clause"}
"""Packages that are installed on Windows only, whose metadata is not here to be read."""


_HEAD = """# Licences of the dependencies

Every package that `uv.lock` pins, with the licence that its own metadata states. Postseal itself is under
[Apache-2.0](../LICENSE). Written by `make licences`; a test compares this page with the lock file. It refuses licences
other than {} for what the wheel brings with it, and
beside them MPL-2.0, LGPL, BSD without a number and the public domain for tools that are only run here. Of what the
wheel brings with it, `publicsuffixlist` alone is under MPL-2.0: it is installed as it is, and only who changes its
files has to hand the changes on.
"""


@dataclass(frozen=True, slots=True)
class Package:
    """One package of the lock file; `is_for_users`: it comes with the wheel."""

    name: str
    version: str
    licence: str
    is_for_users: bool


def licence_of(stated: metadata.PackageMetadata) -> str:
    """Return the licence that a distribution's metadata states, by its SPDX name where it has one; else empty.

    `License-Expression` counts first (PEP 639), then a short `License`, then the classifiers.
    """
    text = _field(stated, "License-Expression") or _field(stated, "License")
    if text and len(text) <= _LONGEST_NAME:
        return _SPELLINGS.get(text, text)
    of_classifiers = [each.rpartition(" :: ")[2] for each in stated.get_all("Classifier") or [] if "License ::" in each]
    # Classifiers do not say how several go together: then all have to be allowed.
    return " AND ".join(_SPELLINGS.get(each, each) for each in of_classifiers)


def _field(stated: metadata.PackageMetadata, name: str) -> str:
    values: list[str] = stated.get_all(name) or [""]
    return values[0]


def is_allowed(licence: str, allowed: Collection[str]) -> bool:
    """Return whether an SPDX expression of names, AND and OR can be met with allowed licences only.

    One with parentheses is not taken apart: then each licence that it names has to be allowed.
    """
    ways = [re.sub("[()]", "", licence).replace(" OR ", " AND ")] if "(" in licence else licence.split(" OR ")
    return any(all(part.strip() in allowed for part in way.split(" AND ")) for way in ways)


def locked_packages(lock: Path) -> list[Package]:
    """Return all packages that a lock file pins but the project itself, with the licences of what is installed.

    Raises:
        importlib.metadata.PackageNotFoundError: a package of this platform is not installed.
    """
    entries = {each["name"]: each for each in tomllib.loads(lock.read_text())["package"]}
    with_wheel = _needed_by(PROJECT, entries)
    return [
        Package(name, entry["version"], _installed_licence(name), name in with_wheel)
        for name, entry in sorted(entries.items())
        if name != PROJECT
    ]


def _installed_licence(name: str) -> str:
    return _NOT_HERE.get(name) or licence_of(metadata.metadata(name))


def _needed_by(name: str, entries: Mapping[str, Any]) -> set[str]:
    """Return the names of all packages that one needs at run time, whatever they need included."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        needed = {each["name"] for each in entries[waiting.pop()].get("dependencies", [])} - found
        found |= needed
        waiting += needed
    return found


def problems_of_licences(packages: Collection[Package]) -> list[str]:
    """Return which packages have no licence that is allowed for what they are for."""
    return [
        f"{each.name} {each.version}: {each.licence or 'states no licence'}"
        for each in packages
        if not is_allowed(each.licence, FOR_USERS if each.is_for_users else FOR_DEVELOPMENT)
        and UNCHANGED.get(each.name) != each.licence
    ]


def licence_page(lock: Path) -> str:
    """Return docs/licences.md for a lock file."""
    packages = locked_packages(lock)
    tables = {
        "At run time": [each for each in packages if each.is_for_users],
        "For development": [each for each in packages if not each.is_for_users],
    }
    parts = [_HEAD.format(", ".join(sorted(FOR_USERS)))]
    for title, rows in tables.items():
        lines = [f"| `{each.name}` | {each.version} | {each.licence} |" for each in rows]
        parts.append("\n".join([f"\n## {title}\n", "| package | version | licence |", "|---|---|---|", *lines, ""]))
    return "".join(parts)
