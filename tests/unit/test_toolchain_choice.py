"""Which engine is used, and what a user is told when none can be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolchain.choice import Attempt, ExistingEngine, explain_failure, judge_existing, judge_go, parse_version
from toolchain.recipe import ENGINE_VERSION

NUMBER = st.integers(min_value=0, max_value=9999)
VERSION = st.tuples(NUMBER, NUMBER, NUMBER)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("v3.250.0", (3, 250, 0)),
        ("3.250.1\n", (3, 250, 1)),
        ("go version go1.26.8 linux/amd64", (1, 26, 8)),
        ("go version go1.26 linux/amd64", (1, 26, 0)),
        ("v3.251.0-alpha.1", (3, 251, -1)),
        ("v3.250.0+dirty", (3, 250, 0)),
        ("no version here", None),
        ("", None),
    ],
)
def test_a_version_is_read_from_what_programs_print(text: str, version: tuple[int, int, int] | None) -> None:
    """Pulumi and Go word their versions differently; a text without one is told apart."""
    assert parse_version(text) == version


@given(left=VERSION, right=VERSION)
def test_versions_compare_by_number_and_not_by_text(left: tuple[int, int, int], right: tuple[int, int, int]) -> None:
    """3.99.0 is older than 3.250.0, although it sorts after it as text."""
    texts = ["v{}.{}.{}".format(*version) for version in (left, right)]
    first, second = map(parse_version, texts)
    assert first is not None
    assert second is not None
    assert (first < second) is (left < right)


@pytest.mark.parametrize("version", [f"v{ENGINE_VERSION}", "v3.999.0", "v4.0.0"])
def test_a_pulumi_that_is_new_enough_is_used(version: str) -> None:
    """The pinned version and everything newer is good."""
    assert judge_existing(ExistingEngine("/usr/bin/pulumi", version, has_language_host=True)) is None


@pytest.mark.parametrize(
    ("existing", "said"),
    [
        (None, "none on PATH"),
        (ExistingEngine("/opt/pulumi", "v3.99.0", has_language_host=True), ENGINE_VERSION),
        (ExistingEngine("/opt/pulumi", f"v{ENGINE_VERSION}-alpha.1", has_language_host=True), "alpha.1"),
        (ExistingEngine("/opt/pulumi", "", has_language_host=True), "does not say its version"),
        (ExistingEngine("/opt/pulumi", "v3.999.0", has_language_host=False), "pulumi-language-python"),
    ],
)
def test_a_pulumi_that_cannot_be_used_is_refused_with_the_reason(existing: ExistingEngine | None, said: str) -> None:
    """Absent, too old, a pre-release of the pinned version, broken, or without the Python language host."""
    reason = judge_existing(existing)
    assert reason is not None
    assert said in reason


@pytest.mark.parametrize(
    ("version_text", "setting"),
    [
        ("go version go1.26.8 linux/amd64", "local"),
        ("go version go1.27 darwin/arm64", "auto"),
        ("go version go1.22.1 linux/amd64", "auto"),
        ("go version go1.21.0 linux/amd64", "go1.21.0+auto"),
    ],
)
def test_a_go_that_is_new_or_fetches_a_newer_one_will_do(version_text: str, setting: str) -> None:
    """From 1.21 on Go fetches the version a go.mod asks for, unless GOTOOLCHAIN forbids it."""
    assert judge_go(version_text, setting) is None


@pytest.mark.parametrize(
    ("version_text", "setting", "said"),
    [
        (None, "", "no go on PATH"),
        ("go version go1.22.1 linux/amd64", "local", "GOTOOLCHAIN=local"),
        ("go version go1.22.1 linux/amd64", "path", "GOTOOLCHAIN=auto"),
        ("go version go1.19.8 linux/amd64", "auto", "Go 1.19.8 is too old"),
        ("devel", "auto", "'devel'"),
    ],
)
def test_a_go_that_cannot_build_the_engine_is_refused_with_the_way_out(
    version_text: str | None, setting: str, said: str
) -> None:
    """The reason names what was found and the version that is needed."""
    reason = judge_go(version_text, setting)
    assert reason is not None
    assert said in reason
    assert "Go 1.26" in reason


def test_the_last_word_lists_everything_tried_and_every_way_out() -> None:
    """A user on a bare machine learns of all three ways at once."""
    text = explain_failure([Attempt("pulumi on PATH", "too old"), Attempt("official release", "out of reach")])
    assert "  - pulumi on PATH: too old\n  - official release: out of reach\n" in text
    for way_out in ("pulumi.com/docs/install", "get.pulumi.com", "go.dev/dl"):
        assert way_out in text
