"""The engine's command line tells what it is to replace, which its requests do not."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postseal_core.plugin.replacement import (
    _arguments_of,
    _engine_above,
    _parent_of,
    called_with,
    is_named,
    patterns_of,
)

ALICE = "urn:pulumi:dev::mail::postseal:index:ClientCertificate::alice"


@pytest.mark.parametrize(
    ("arguments", "patterns"),
    [
        ([], ()),
        (["pulumi", "up"], ()),
        (["pulumi", "up", "--replace", ALICE], (ALICE,)),
        (["pulumi", "up", f"--replace={ALICE}", "--yes"], (ALICE,)),
        (["pulumi", "preview", "--target-replace", ALICE, "--replace", "**::bob"], (ALICE, "**::bob")),
        (["pulumi", "up", "--replace"], ("",)),
        (["pulumi", "up", "--show-replacement-steps"], ()),
    ],
)
def test_what_is_to_be_replaced_stands_behind_two_switches(arguments: list[str], patterns: tuple[str, ...]) -> None:
    """Alone or with `=`, as often as somebody likes."""
    assert patterns_of(arguments) == patterns


@pytest.mark.parametrize(
    ("pattern", "is_it"),
    [
        (ALICE, True),
        ("**", True),
        ("**::alice", True),
        ("urn:pulumi:dev::mail::postseal:index:*::alice", True),
        ("urn:pulumi:*::*::postseal:index:ClientCertificate::a*", True),
        ("*::alice", False),
        ("alice", False),
        ("", False),
        (ALICE + "x", False),
        (ALICE.replace(":", "."), False),
    ],
)
def test_a_pattern_is_read_as_the_engine_reads_it(pattern: str, is_it: bool) -> None:  # noqa: FBT001
    """`*` stands for letters without a colon, `**` for any; everything else is what it is."""
    assert is_named(ALICE, [pattern]) == is_it
    assert is_named(ALICE, ["**::bob", pattern]) == is_it


@given(st.text())
def test_whatever_stands_there_is_a_pattern(text: str) -> None:
    """And a URN names itself, unless it has a star."""
    is_named(ALICE, [text])
    assert "*" in text or is_named(text, [text])


TREE: Mapping[int, tuple[Sequence[str], int]] = {
    40: (["sh", "/opt/pulumi-resource-postseal"], 30),
    30: (["/opt/pulumi/bin/pulumi", "up", "--replace", ALICE], 20),
    20: (["pulumi", "outer"], 1),
    15: (["python", "pulumi"], 14),
    14: ([], 1),
}


@pytest.mark.parametrize(("process", "found"), [(40, TREE[30][0]), (30, TREE[30][0]), (20, TREE[20][0]), (15, ())])
def test_the_nearest_engine_above_is_the_one_that_asks(process: int, found: Sequence[str]) -> None:
    """It is known by its own name, not by an argument; a process that is gone ends the search."""
    assert _engine_above(process, lambda each: TREE[each][0], lambda each: TREE[each][1]) == found


@pytest.mark.parametrize(("shells", "is_found"), [(0, True), (7, True), (8, False)])
def test_the_engine_is_looked_for_among_eight_processes(shells: int, *, is_found: bool) -> None:
    """It starts a plugin through one or two shells; what is above more of them has started something else."""
    calls = {number: ["sh"] for number in range(100, 100 - shells, -1)} | {100 - shells: ["pulumi", "up"]}
    found = _engine_above(100, lambda each: calls[each], lambda each: each - 1)
    assert found == (["pulumi", "up"] if is_found else ())


@pytest.mark.parametrize(
    ("text", "parent"),
    [
        ("12 (sh) S 7 12 12 0", 7),
        ("12 (a) b (c) S 7 12", 7),
        ("12 (sh) S", 0),
        ("12 (sh) S x 12", 0),
        ("", 0),
        (None, 0),
    ],
    ids=["a shell", "a name with brackets", "cut", "no number", "empty", "gone"],
)
def test_a_process_whose_parent_cannot_be_read_has_none(
    monkeypatch: pytest.MonkeyPatch, text: str | None, parent: int
) -> None:
    """It may have ended meanwhile, and not every system has /proc (proc_pid_stat(5))."""

    def read(path: Path, **_options: str) -> str:
        assert str(path) == "/proc/12/stat"
        if text is None:
            raise FileNotFoundError(path)
        return text

    monkeypatch.setattr(Path, "read_text", read)
    assert _parent_of(12) == parent


def test_a_process_that_is_gone_was_called_with_nothing() -> None:
    """Beside this one, which was called with something; no number is that of no process."""
    assert _arguments_of(os.getpid())
    assert _arguments_of(2**31) == ()
    assert _parent_of(os.getpid()) == os.getppid()
    assert _parent_of(2**31) == 0


def test_a_circle_of_parents_ends() -> None:
    """The system has none; a mistake of ours must not hang a deployment."""
    assert _engine_above(5, lambda _: ["sh"], lambda each: each) == ()


def test_a_process_below_an_engine_sees_how_it_was_called(tmp_path: Path) -> None:
    """Through a shell between them; without an engine above there is nothing to see."""
    program = (
        f"import sys; sys.path.insert(0, {os.getcwd()!r})\nfrom postseal_core.plugin.replacement import called_with"  # noqa: PTH109
    )
    asks = tmp_path / "ask.py"
    asks.write_text(f"{program}\nprint(list(called_with()))\n")
    engine = tmp_path / "pulumi"
    engine.symlink_to("/bin/sh")
    command = [str(engine), "-c", f"sh -c '{sys.executable} {asks}; :'; :", "x", "--replace", ALICE]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == str(command)
    assert "--replace" not in called_with()
