"""Which licences the packages of the lock file are under, and that nobody adds one that asks for more."""

import tomllib
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest

from toolchain.licences import (
    FOR_DEVELOPMENT,
    FOR_USERS,
    Package,
    is_allowed,
    licence_of,
    licence_page,
    locked_packages,
    problems_of_licences,
)

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "uv.lock"


def _stated(*fields: tuple[str, str]) -> metadata.PackageMetadata:
    message = metadata.metadata("pip")
    for name in ("License-Expression", "License", "Classifier"):
        del message[name]  # type: ignore[attr-defined]  # it is an email.message.Message
    for name, value in fields:
        message[name] = value  # type: ignore[index]  # as above
    return message


def test_every_package_of_the_lock_file_has_a_licence_that_is_allowed() -> None:
    """What the wheel brings with it asks for no more than a notice."""
    assert problems_of_licences(locked_packages(LOCK)) == []


def test_the_page_is_what_the_lock_file_says() -> None:
    """`make licences` writes it anew."""
    assert (ROOT / "docs/licences.md").read_text() == licence_page(LOCK)


def test_the_licences_are_those_of_the_locked_versions() -> None:
    """What is installed is what is locked; another version might be under another licence."""
    locked = {each["name"]: each["version"] for each in tomllib.loads(LOCK.read_text())["package"]}
    listed = {each.name: each.version for each in locked_packages(LOCK)}
    assert set(locked) - set(listed) == {"postseal"}
    differing = [name for name in listed if name != "colorama" and metadata.version(name) != locked[name]]
    assert differing == []


def test_what_the_wheel_brings_is_told_from_what_only_developers_need() -> None:
    """Also what is needed only by what is needed."""
    by_name = {each.name: each.is_for_users for each in locked_packages(LOCK)}
    assert [by_name[name] for name in ("cryptography", "cffi", "pycparser")] == [True] * 3
    assert [by_name[name] for name in ("hypothesis", "pkilint", "pytest")] == [False] * 3


def test_a_licence_about_changes_is_taken_of_named_packages_only() -> None:
    """Each was looked at; another one under it, or it under another licence, is looked at again."""
    named = Package("publicsuffixlist", "1", "MPL-2.0", is_for_users=True)
    assert problems_of_licences([named]) == []
    assert problems_of_licences([replace(named, name="certifi")]) == ["certifi 1: MPL-2.0"]
    assert problems_of_licences([replace(named, licence="MPL-1.1")]) == ["publicsuffixlist 1: MPL-1.1"]


@pytest.mark.parametrize("licence", ["AGPL-3.0-or-later", "GPL-2.0-only", "UNKNOWN", "MIT AND GPL-2.0-only", ""])
def test_another_licence_is_a_problem(licence: str) -> None:
    """Also one that is not stated at all."""
    for is_for_users in (True, False):
        (problem,) = problems_of_licences([Package("strange", "1.0", licence, is_for_users)])
        assert problem == f"strange 1.0: {licence or 'states no licence'}"


def test_a_licence_of_tools_is_none_of_the_wheel() -> None:
    """A tool that is only run may be under MPL-2.0."""
    assert problems_of_licences([Package("tool", "1.0", "MPL-2.0", is_for_users=False)]) == []
    assert len(problems_of_licences([Package("tool", "1.0", "MPL-2.0", is_for_users=True)])) == 1
    assert FOR_USERS < FOR_DEVELOPMENT


@pytest.mark.parametrize(
    ("expression", "is_met"),
    [
        ("MIT", True),
        ("MIT OR GPL-2.0-only", True),
        ("MIT AND BSD-3-Clause", True),
        ("MIT AND GPL-2.0-only", False),
        ("GPL-2.0-only OR MIT AND BSD-3-Clause", True),
        ("(MIT OR BSD-3-Clause) AND MIT", True),
        ("(MIT OR BSD-3-Clause) AND GPL-2.0-only", False),
        ("mit", False),
    ],
)
def test_an_expression_is_met_where_one_way_through_it_is_allowed(
    expression: str,
    is_met: bool,  # noqa: FBT001
) -> None:
    """AND binds stronger than OR (SPDX annex D); parentheses are not taken apart, so that all has to be allowed."""
    assert is_allowed(expression, FOR_USERS) is is_met


@pytest.mark.parametrize(
    ("fields", "licence"),
    [
        ([("License-Expression", "MIT-0"), ("License", "GPL")], "MIT-0"),
        ([("License", "BSD 2-Clause License")], "BSD-2-Clause"),
        ([("License", "A text of many pages. " * 9), ("Classifier", "License :: OSI Approved :: MIT License")], "MIT"),
        (
            [
                ("Classifier", "License :: OSI Approved :: MIT License"),
                ("Classifier", "License :: OSI Approved :: Apache Software License"),
                ("Classifier", "Topic :: Security"),
            ],
            "MIT AND Apache-2.0",
        ),
        ([], ""),
    ],
    ids=["expression first", "short text", "long text", "several classifiers", "nothing"],
)
def test_a_licence_is_read_from_where_metadata_has_it(fields: list[tuple[str, str]], licence: str) -> None:
    """New metadata has an expression, older one a text or classifiers."""
    assert licence_of(_stated(*fields)) == licence
