"""Mutants: a source with one place changed, which some test should notice."""

import ast
import difflib
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from cosmic_ray.ast import ast_nodes, get_ast  # type: ignore[import-untyped]
from cosmic_ray.mutating import MutationVisitor  # type: ignore[import-untyped]

from toolchain.mutation.operators import OPERATORS, Position

__all__ = ["Mutant", "difference", "mutants_of", "mutated", "sample"]


@dataclass(frozen=True, slots=True, order=True)
class Mutant:
    """One change to one module: the operator's n-th place in it, from 0; line from 1, column from 0."""

    path: str
    line: int
    column: int
    operator: str
    occurrence: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column + 1} {self.operator}"


def mutants_of(path: str, source: str) -> list[Mutant]:
    """Return every mutant of a module, in the order of its lines.

    Left out is what no test can or should see: annotations, `__all__`, and what only a type checker reads.
    """
    unseen = list(_unseen(ast.parse(source)))
    nodes = list(ast_nodes(get_ast(source)))
    found = (
        Mutant(path, *start, name, occurrence)
        for name, operator in OPERATORS.items()
        for occurrence, (start, _) in enumerate(at for node in nodes for at in operator.mutation_positions(node))
        if not any(first <= start < last for first, last in unseen)
    )
    return sorted(found)


def _unseen(tree: ast.Module) -> Iterator[tuple[Position, Position]]:
    for node in ast.walk(tree):
        match node:
            case ast.arg(annotation=ast.expr() as unseen) | ast.AnnAssign(annotation=unseen):
                yield _span(unseen)
            case ast.FunctionDef(returns=ast.expr() as unseen):
                yield _span(unseen)
            case ast.If(test=ast.Name(id="TYPE_CHECKING")) | ast.Assign(targets=[ast.Name(id="__all__")]):
                yield _span(node)
            case ast.Call(func=ast.Name(id="cast"), args=[unseen, *_]):
                yield _span(unseen)
            case ast.Call(func=ast.Name(id="TypeVar" | "NewType" | "ParamSpec")):
                yield _span(node)
            case ast.ClassDef(bases=[ast.Name(id="Protocol")]):
                yield _span(node)
            case _:
                pass


def _span(node: ast.expr | ast.stmt) -> tuple[Position, Position]:
    end = node.end_lineno, node.end_col_offset
    return (node.lineno, node.col_offset), (end[0] or node.lineno, end[1] or 0)


def mutated(source: str, mutant: Mutant) -> str:
    """Return the module's source with the mutant's change.

    Raises:
        ValueError: the source has no such place; it is not the one that the mutant was found in.
    """
    code: str | None = MutationVisitor.mutate_code(source, OPERATORS[mutant.operator], mutant.occurrence)
    if code is None:
        raise ValueError(f"{mutant} is no place in this source")
    return code


def sample(mutants: Iterable[Mutant], count: int, seed: int, sources: Mapping[str, str]) -> list[Mutant]:
    """Return so many of the mutants, all when there are no more; the same for the same seed, in their order.

    `sources`: the modules by path. What an operator cannot change is passed over: a star among parameters is no sign.
    """
    shuffled = sorted(mutants)
    random.Random(seed).shuffle(shuffled)  # noqa: S311  # chooses cases, not keys
    return sorted(islice((mutant for mutant in shuffled if _is_program(sources[mutant.path], mutant)), count))


def _is_program(source: str, mutant: Mutant) -> bool:
    try:
        ast.parse(mutated(source, mutant))
    except (SyntaxError, AttributeError):  # the latter from cosmic-ray, where an exception has a dotted name
        return False
    return True


def difference(before: str, after: str) -> Sequence[str]:
    """Return the lines that differ, each with `-` or `+` before it."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
    return [line for line in lines if not line.startswith(("---", "+++", "@@"))]
