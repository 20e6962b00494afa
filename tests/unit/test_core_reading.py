"""The reader tells everything that is wrong with a mapping at once, each with its path, what was got and expected."""

from typing import Any

import pulumi
import pytest
from pydantic import StrictBool, StrictInt, StrictStr

from postseal_core.errors import Problem
from postseal_core.reading import Section, join_path, read_section, without_consequences
from postseal_core.wording import nearest_hint, shown


class Below(Section):
    """A section below another one."""

    depth: StrictInt = 0


class Example(Section):
    """A section with a field of each kind."""

    name: StrictStr = ""
    names: tuple[StrictStr, ...] = ()
    is_ready: StrictBool = False
    below: Below | None = None
    several: tuple[Below, ...] = ()


MISTAKES: list[tuple[dict[str, Any], str, str]] = [
    ({"name": 3}, "at.name", "got 3, expected text; put it into quotes"),
    ({"name": True}, "at.name", "got true, expected text; put it into quotes"),
    ({"names": 3}, "at.names", "got 3, expected a list, as [first, second]"),
    ({"names": ["a", 3]}, "at.names[1]", "got 3, expected text; put it into quotes"),
    ({"is_ready": "yes"}, "at.is_ready", "got 'yes', expected true or false"),
    ({"below": []}, "at.below", "got a list, expected a mapping, as {key: value}"),
    ({"below": {"depth": "1"}}, "at.below.depth", "got '1', expected a whole number"),
    ({"below": {"dept": 1}}, "at.below.dept", "unknown key; did you mean depth?"),
    ({"several": [{}, {"zz": 1}]}, "at.several[1].zz", "unknown key; expected one of: depth"),
    ({"nam": "x"}, "at.nam", "unknown key; did you mean name?"),
    ({"name": object()}, "at.name", "got a object, expected text; put it into quotes"),
]


@pytest.mark.parametrize(("given", "path", "message"), MISTAKES)
def test_a_mistake_is_told_with_path_got_and_expected(given: dict[str, Any], path: str, message: str) -> None:
    """One sentence a mistake, and the field counts as unread."""
    reading = read_section(given, Example, "at")
    assert reading.problems == (Problem(path, message),)
    assert any(path.startswith(each) for each in reading.unread)


@pytest.mark.parametrize(
    ("key", "got"), [(3, "3"), (None, "nothing"), (1.5, "1.5"), (b"name", "a bytes"), (("a",), "a list")]
)
def test_a_key_that_is_no_text_is_told_and_hides_nothing_else(key: Any, got: str) -> None:
    """It belongs to no field, so what is said of the fields beside it stays."""
    reading = read_section({key: "x", "is_ready": 1, "name": "alice"}, Example, "at")
    assert {problem.path: problem.message for problem in reading.problems} == {
        "at": f"got {got} as a key, expected text; put it into quotes",
        "at.is_ready": "got 1, expected true or false",
    }
    assert reading.section == Example(name="alice")
    assert reading.unread == {"at.is_ready"}


def test_all_mistakes_are_told_at_once_and_what_is_right_is_read() -> None:
    """A mistake hides neither other mistakes nor values."""
    reading = read_section({"name": 3, "names": ["a"], "is_ready": 1, "x": 0}, Example, "at")
    assert {problem.path for problem in reading.problems} == {"at.name", "at.is_ready", "at.x"}
    assert reading.section == Example(names=("a",))


def test_something_that_is_no_mapping_is_one_mistake() -> None:
    """The whole counts as unread."""
    reading = read_section([1], Example, "at")
    assert reading.problems == (Problem("at", "got a list, expected a mapping, as {key: value}"),)
    assert reading.unread == {"at"}


def test_nothing_is_an_empty_mapping() -> None:
    """`clients: {alice: }` declares alice with defaults."""
    assert read_section(None, Example) == read_section({}, Example)


@pytest.mark.parametrize(
    ("wrap", "path"),
    [
        (lambda output: output, "at.name"),
        (lambda output: ["a", output], "at.name[1]"),
        (lambda output: {"a": output}, "at.name.a"),
    ],
    ids=["alone", "in a list", "in a mapping"],
)
def test_an_output_is_refused_where_a_plain_value_is_needed(wrap: Any, path: str) -> None:
    """Also inside of a list or a mapping; the sentence says what to do, and nothing else is said of the field."""
    reading = read_section({"name": wrap(pulumi.Output.from_input("x")), "is_ready": True}, Example, "at")
    assert reading.problems == (Problem(path, "must be known before `pulumi up`, not the output of another resource"),)
    assert reading.section.is_ready


def test_paths_are_those_that_pulumi_config_takes() -> None:
    """Names with dots between, positions in brackets."""
    assert join_path(("hosts", "mx1", "relay_clients", 0, "name")) == "hosts.mx1.relay_clients[0].name"
    assert join_path(("", "x")) == "x"


@pytest.mark.parametrize(
    ("word", "known", "hint"),
    [
        ("alcie", ["alice", "bob"], "did you mean alice?"),
        ("ALICE", ["alice"], "did you mean alice?"),
        ("zzz", ["bob", "alice"], "expected one of: alice, bob"),
        ("zzz", [], "none is declared"),
        ("zzz", [f"name{each}" for each in range(8)], "expected one of: " + ", ".join(f"name{n}" for n in range(8))),
        (
            "zzz",
            [f"name{each}" for each in range(9)],
            "expected one of: " + ", ".join(f"name{n}" for n in range(8)) + ", ...",
        ),
    ],
)
def test_a_hint_names_the_nearest_word_or_all(word: str, known: list[str], hint: str) -> None:
    """At most eight words are listed."""
    assert nearest_hint(word, known) == hint


def test_what_follows_from_an_unread_value_is_not_told() -> None:
    """Neither below it nor twice; a name that merely begins alike is something else."""
    problems = [
        Problem("a.b", "1"),
        Problem("a.b[0]", "2"),
        Problem("a.b.c", "3"),
        Problem("a.bc", "4"),
        Problem("a.bc", "4"),
    ]
    assert without_consequences(problems, {"a.b"}) == [Problem("a.bc", "4")]


def test_a_number_that_python_does_not_print_is_shown_by_its_kind() -> None:
    """Alone and in a list, and a list that holds itself."""
    endless: list[object] = []
    endless.append(endless)
    assert shown(10**60 - 1) == "9" * 60
    assert shown(10**60) == "a number of many digits"
    assert shown([10**5_000]) == "a list"
    assert "0" * 50 not in shown(10**5_000)
    assert len(shown(endless)) < 50
