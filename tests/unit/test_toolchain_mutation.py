"""Mutation runs: what is changed, which tests are to notice, and how it is counted."""

import ast
from pathlib import Path

import pytest

from toolchain.mutation.baseline import by_line
from toolchain.mutation.choice import Coverage, importers_of, statement_lines
from toolchain.mutation.copies import copy_checkout, in_place
from toolchain.mutation.equivalents import read_equivalents
from toolchain.mutation.groups import GROUPS
from toolchain.mutation.mutants import Mutant, difference, mutants_of, mutated, sample
from toolchain.mutation.operators import OPERATORS
from toolchain.mutation.running import Run
from toolchain.mutation.score import Score, render
from toolchain.mutation.trial import Outcome, Trial, batches, outcome_of

ROOT = Path(__file__).parents[2]
MODULES = [f"{package}/{name}" for package in ("pki", "postfix") for name in ("__init__.py",)]


def changes_of(source: str, operator: str) -> list[str]:
    """Return what an operator makes of a source, mutant by mutant, only the changed lines."""
    found = [mutant for mutant in mutants_of("m.py", source) if mutant.operator == operator]
    changed = [difference(source, mutated(source, mutant)) for mutant in found]
    return [" / ".join(" ".join(line[1:].split()) for line in lines if line.startswith("+")) for lines in changed]


@pytest.mark.parametrize(
    ("operator", "source", "changes"),
    [
        ("DropStatement", "def f():\n    g(1)\n    return 2\n", ["pass"]),
        ("DropStatement", "x = 0\nx += 1\n", ["pass"]),
        ("DropStatement", "def f():\n    yield 1\n", ["pass"]),
        ("DropStatement", "def f(a, b):\n    del a, b\n    del c[0]\n", ["pass"]),
        ("DropStatement", '"""What it is."""\nx = g()\nassert x == 1\n', []),
        ("DropKeywordArgument", "f(1, a=2, b=3)\n", ["f(1, b=3)", "f(1, a=2,)"]),
        ("DropKeywordArgument", "f(a=2)\n", ["f()"]),
        ("DropKeywordArgument", "f({'a': 2}, *b, **c)\n", []),
        ("SwapMembership", "x = a in b\ny = a not in b\n", ["x = a not in b", "y = a in b"]),
        ("SwapMembership", "for a in b: pass\nx = a == b\n", []),
        ("NegateFilter", "x = [a for a in b if a > c]\n", ["x = [a for a in b if not (a > c)]"]),
        ("ChangeName", "x = 'name'\n", ["x = 'namex'"]),
        ("ChangeName", "x = 'a sentence'\ny = f'{x}'\nz = ('one'\n  'two')\n", []),
        ("ReplaceComparisonOperator_Lt_LtE", "x = a < b\n", ["x = a <= b"]),
        ("NumberReplacer", "x = 7\n", ["x = 8", "x = 6"]),
    ],
)
def test_an_operator_changes_one_place_at_a_time(operator: str, source: str, changes: list[str]) -> None:
    """Each of its places is a mutant of its own."""
    assert changes_of(source, operator) == changes


@pytest.mark.parametrize(
    "source",
    [
        "x: int | None = y\n",
        "def f(x: int | None, y: 'Name') -> int | str: ...\n",
        "__all__ = ['f']\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    f(a=1)\n",
        "x = cast('Name', y)\n",
        "T = TypeVar('T', bound='Name')\n",
        "class P(Protocol):\n    def f(self) -> None:\n        g()\n",
    ],
    ids=["a variable", "a function", "exported names", "for type checkers", "a cast", "a type variable", "a protocol"],
)
def test_what_no_test_can_see_is_left_alone(source: str) -> None:
    """Types are for type checkers."""
    assert mutants_of("m.py", source) == []


@pytest.mark.takes_long
@pytest.mark.parametrize("path", ["pki/schedule.py", "pki/roster/rows.py", "postseal_core/plugin/servicer.py"])
def test_every_mutant_of_a_real_module_is_another_program(path: str) -> None:
    """It parses, differs, and is a change of the line that it names."""
    source = (ROOT / path).read_text(encoding="utf-8")
    for mutant in sample(mutants_of(path, source), 15, 1, {path: source}):
        changed = mutated(source, mutant)
        assert ast.dump(ast.parse(changed)) != ast.dump(ast.parse(source)), mutant


def test_a_mutant_of_another_source_is_an_error() -> None:
    """Else nothing would be tried, and nothing said."""
    with pytest.raises(ValueError, match="no place in this source"):
        mutated("x = 1\n", Mutant("m.py", 1, 0, "NegateFilter", 0))


def test_a_sample_is_the_same_for_the_same_seed() -> None:
    """Whatever order the mutants come in; and all are taken where there are no more."""
    sources = {"m.py": "x = [1, 2, 3, 4, 5]\n"}
    mutants = mutants_of("m.py", sources["m.py"])
    assert sample(mutants, 4, 1, sources) == sample(reversed(mutants), 4, 1, sources)
    assert sample(mutants, 4, 1, sources) == sorted(sample(mutants, 4, 1, sources))
    assert sample(mutants, 4, 1, sources) != sample(mutants, 4, 2, sources)
    assert sample(mutants, 100, 1, sources) == sorted(mutants)


def test_what_is_no_program_is_no_mutant() -> None:
    """A star among parameters looks like an operator; and some others are taken in its place."""
    source = "def f(a, *, b): return [1, 2, a, b]\ntry:\n    f()\nexcept (OSError, binascii.Error):\n    pass\n"
    sources = {"m.py": source}
    mutants = mutants_of("m.py", source)
    chosen = sample(mutants, 4, 1, sources)
    assert len(chosen) == 4
    assert "ReplaceBinaryOperator_Mul_FloorDiv" in {mutant.operator for mutant in mutants}
    assert "ReplaceBinaryOperator_Mul_FloorDiv" not in {mutant.operator for mutant in sample(mutants, 100, 1, sources)}


def test_every_module_outside_of_programs_reports_and_deployment_is_in_one_group() -> None:
    """Groups do not overlap, and none of their patterns has become empty."""
    names = [
        str(path.relative_to(ROOT))
        for package in ("pki", "postfix", "postseal_core")
        for path in (ROOT / package).rglob("*.py")
    ]
    members = {name: set(group.members(names)) for name, group in GROUPS.items() if name != "all"}
    assert all(members.values())
    assert sum(map(len, members.values())) == len(set().union(*members.values()))
    left = set(names) - set().union(*members.values())
    assert {name for name in left if "/components/" not in name and "/deploy/" not in name} == {
        *(name for name in names if name.endswith("/resource.py")),
        "postseal_core/arguments.py",
        "postseal_core/program.py",
        "postfix/host_resource/destination.py",
        "postfix/host_resource/destinations.py",
        "postfix/host_resource/left_files.py",
        "postfix/host_resource/plain_directory.py",
        "postfix/host_resource/running_postfix.py",
        "postfix/host_resource/inspection.py",
    }


SOURCE = """import x


@decorated
def f(
    a,
):
    if a:
        return g(
            1,
        )
    return 2
"""


@pytest.mark.parametrize(
    ("line", "lines"), [(1, [1]), (4, [4, 5, 6, 7]), (6, [4, 5, 6, 7]), (8, [8]), (10, [9, 10, 11])]
)
def test_a_line_belongs_to_a_statement(line: int, lines: list[int]) -> None:
    """Of a compound one to its head: its body has statements of its own."""
    assert list(statement_lines(SOURCE)[line]) == lines


COVERAGE = Coverage(
    tests_of={
        "a.py": {5: frozenset({"wide", "narrow"}), 6: frozenset({"wide"})},
        "b.py": {1: frozenset({"wide", "other"})},
        "records.py": {},
    },
    seconds={
        "wide": 3.0,
        "narrow": 1.0,
        "other": 1.0,
        "tests/unit/test_records.py::test": 0.1,
        "tests/t.py::reads": 0.1,
    },
    importers={
        "records.py": frozenset({"b.py", "tests/t.py"}),
        "lonely.py": frozenset({"circle.py"}),
        "circle.py": frozenset({"lonely.py"}),
    },
)


@pytest.mark.parametrize(
    ("path", "lines", "tests"),
    [
        ("a.py", [5], ["narrow", "wide"]),
        ("a.py", [6, 7], ["wide"]),
        ("a.py", [1], ["tests/unit/test_records.py::test", "narrow", "wide"]),
        ("records.py", [1], ["tests/t.py::reads", "tests/unit/test_records.py::test", "other", "wide"]),
        ("lonely.py", [1], ["tests/unit/test_records.py::test"]),
    ],
    ids=["a line", "a statement", "at import", "a module without functions", "a module without tests"],
)
def test_the_tests_of_a_line_are_those_that_ran_it(path: str, lines: list[int], tests: list[str]) -> None:
    """The narrowest first; at import those of the module or of what imports it, behind those that look at all."""
    assert COVERAGE.tests_for(path, lines) == tests


def test_tests_beyond_the_cap_are_left_out_but_never_all() -> None:
    """The narrowest are kept."""
    assert COVERAGE.tests_for("a.py", [5], cap=3.5) == ["narrow"]
    assert COVERAGE.tests_for("a.py", [6], cap=0.5) == ["wide"]


def test_importers_are_found_by_either_form() -> None:
    """A module by its name, or by its package."""
    sources = {
        "p/__init__.py": "",
        "p/a.py": "x = 1",
        "p/b.py": "from p.a import x",
        "p/c.py": "from p import a",
        "p/d.py": "import p.a",
    }
    found = importers_of(sources)
    assert found["p/a.py"] == {"p/b.py", "p/c.py", "p/d.py"}
    assert found["p/__init__.py"] == {"p/c.py"}


def test_contexts_are_tests_whatever_their_phase() -> None:
    """And what ran outside any test is none."""
    assert by_line({1: [""], 2: ["", "a::b|run", "a::b|setup", "a::c[x|y]|run"]}) == {2: {"a::b", "a::c[x|y]"}}


@pytest.mark.parametrize(
    ("code", "failed", "outcome", "is_caught"),
    [
        (0, "", Outcome.SURVIVED, False),
        (5, "", Outcome.SURVIVED, False),
        (1, "a::b", Outcome.KILLED, True),
        (1, "", Outcome.BROKEN, True),
        (2, "", Outcome.BROKEN, True),
        (-11, "", Outcome.BROKEN, True),
        (None, "", Outcome.STOPPED, True),
    ],
)
def test_how_a_run_ended_says_what_became_of_the_mutant(
    code: int | None,
    failed: str,
    outcome: Outcome,
    is_caught: bool,  # noqa: FBT001
) -> None:
    """A run that never ends was noticed; one that runs no test notices nothing."""
    assert outcome_of(Run(code, failed, "")) is outcome
    assert outcome.is_caught is is_caught


def test_tests_are_run_in_two_lots() -> None:
    """Most mutants die in the short first one."""
    seconds = {"a": 1.0, "b": 3.0, "c": 1.0}
    assert batches(["a", "b", "c"], seconds, first=2.0) == [["a", "b"], ["c"]]
    assert batches(["a"], seconds, first=2.0) == [["a"]]
    assert batches([], seconds) == []


def trial(line: int, outcome: Outcome, *changed: str) -> Trial:
    """Return what became of the mutant of a line."""
    return Trial(Mutant("m.py", line, 4, "AddNot", 0), outcome, "", changed)


def test_the_score_counts_what_can_be_noticed(tmp_path: Path) -> None:
    """A mutant on the list counts for nothing, unless a test does notice it."""
    listed = tmp_path / "equivalents.toml"
    listed.write_text("[[equivalent]]\npath = 'm.py'\nchange = '''\n-  a\n+  b\n'''\nreason = 'alike'\n")
    equivalents = read_equivalents(listed)
    trials = [
        trial(4, Outcome.SURVIVED, "-x", "+y"),
        trial(1, Outcome.KILLED, "-a", "+b"),
        trial(2, Outcome.SURVIVED, "-    a", "+    b"),
        trial(3, Outcome.STOPPED, "-c", "+d"),
    ]
    score = Score.of("core", trials, equivalents)
    assert [each.mutant.line for each in score.survivors] == [4]
    assert [(each.mutant.line, reason) for each, reason in score.equivalent] == [(2, "alike")]
    assert score.percent == pytest.approx(200 / 3)
    text = render(score)
    assert "m.py:4:5 AddNot (survived)\n    -x\n    +y" in text
    assert "core: 2 of 3 noticed, 66.7 %" in text
    assert "4 tried (1 killed, 1 stopped, 2 survived), 1 equivalent" in text
    assert Score.of("none", [], equivalents).percent == 100.0


def test_a_copy_is_changed_and_comes_back_with_its_time(tmp_path: Path) -> None:
    """What Python compiled of it is found again; the original is not touched."""
    original, copy = tmp_path / "root", tmp_path / "copy"
    (original / "p").mkdir(parents=True)
    (original / "p/m.py").write_text("x = 1\n")
    copy_checkout(original, ["p/m.py"], copy)
    before = (copy / "p/m.py").stat().st_mtime_ns
    with in_place(copy / "p/m.py", "x = 2\n"):
        assert (copy / "p/m.py").read_text() == "x = 2\n"
    assert (copy / "p/m.py").read_text() == (original / "p/m.py").read_text() == "x = 1\n"
    assert (copy / "p/m.py").stat().st_mtime_ns == before == (original / "p/m.py").stat().st_mtime_ns
    assert [each.name for each in (copy / "p").iterdir()] == ["m.py"]


def test_every_listed_equivalent_has_a_reason() -> None:
    """And is a change of some line."""
    listed = read_equivalents(ROOT / "toolchain/mutation/equivalents.toml")
    assert listed
    assert all(len(reason) > 10 for reason in listed.values())
    assert all({line[0] for line in changed} <= {"-", "+"} and changed for _, changed in listed)
    assert OPERATORS
