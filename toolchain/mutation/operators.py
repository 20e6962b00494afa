"""The ways to change a program that a run tries: those of cosmic-ray that are worth it, and five of our own.

Of the operators of cosmic-ray that put one sign for another, each sign keeps the neighbours that a person would
confuse it with: `<` for `<=` says something about the tests, `**` for `/` in a path dies at its first use.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import parso
from cosmic_ray.plugins import get_operator  # type: ignore[import-untyped]
from parso.python.tree import Keyword, String
from parso.tree import BaseNode, Leaf, NodeOrLeaf

__all__ = ["OPERATORS", "Operator", "Position"]

_TYPES_OF_CALLS = frozenset({"atom_expr", "power"})

Position = tuple[int, int]
"""Line, from 1, and column, from 0."""


class Operator(Protocol):
    """One way to change a program; the interface of cosmic-ray's operators."""

    def mutation_positions(self, node: NodeOrLeaf) -> Iterable[tuple[Position, Position]]:
        """Yield the start and end of each place where the node can be changed."""

    def mutate(self, node: NodeOrLeaf, index: int) -> NodeOrLeaf | None:
        """Return the node changed at the place of this index; None removes it."""


def _code(node: NodeOrLeaf) -> str:
    return str(node.get_code())  # type: ignore[no-untyped-call]


def _parsed(code: str) -> NodeOrLeaf:
    tree: NodeOrLeaf = parso.parse(code)  # type: ignore[no-untyped-call]
    return tree


class DropStatement:
    """Leave out a statement that only has an effect: a call, a yield, an augmented assignment, or a deletion."""

    def mutation_positions(self, node: NodeOrLeaf) -> Iterable[tuple[Position, Position]]:
        """Yield the statement's place."""
        if isinstance(node, BaseNode) and node.type == "simple_stmt" and _only_acts(node.children[0]):
            yield node.children[0].start_pos, node.children[0].end_pos

    def mutate(self, node: NodeOrLeaf, index: int) -> NodeOrLeaf:
        """Put `pass` in its place."""
        del index  # there is one place
        assert isinstance(node, BaseNode)  # noqa: S101  # it has given a position
        first = node.children[0]
        node.children[0] = Keyword("pass", first.start_pos, first.get_first_leaf().prefix)
        return node


def _only_acts(node: NodeOrLeaf) -> bool:
    if not isinstance(node, BaseNode):
        return False
    if node.type in _TYPES_OF_CALLS:
        last = node.children[-1]
        return isinstance(last, BaseNode) and last.type == "trailer" and _code(last.children[0]).strip() == "("
    if node.type == "expr_stmt":
        return any(child.type in {"augassign", "operator"} and _is_augmented(child) for child in node.children)
    if node.type == "del_stmt":
        # A name that is deleted was only mentioned, for the linter.
        return node.children[1].type in _TYPES_OF_CALLS
    return node.type == "yield_expr"


def _is_augmented(node: NodeOrLeaf) -> bool:
    sign = _code(node).strip()
    return len(sign) > 1 and sign.endswith("=") and sign not in {"==", "!=", "<=", ">="}


class DropKeywordArgument:
    """Leave out one `name=value` of a call."""

    def mutation_positions(self, node: NodeOrLeaf) -> Iterable[tuple[Position, Position]]:
        """Yield the place of each keyword argument."""
        for argument in _keyword_arguments(node):
            yield argument.start_pos, argument.end_pos

    def mutate(self, node: NodeOrLeaf, index: int) -> NodeOrLeaf:
        """Remove the argument and its comma."""
        assert isinstance(node, BaseNode)  # noqa: S101  # it has given a position
        at = node.children.index(_keyword_arguments(node)[index])
        has_comma = at + 1 < len(node.children) and _code(node.children[at + 1]).strip() == ","
        del node.children[at : at + (2 if has_comma else 1)]
        return node


def _keyword_arguments(node: NodeOrLeaf) -> Sequence[NodeOrLeaf]:
    if not isinstance(node, BaseNode) or node.type not in {"arglist", "trailer"}:
        return ()
    return [child for child in node.children if _is_keyword_argument(child)]


def _is_keyword_argument(node: NodeOrLeaf) -> bool:
    return isinstance(node, BaseNode) and node.type == "argument" and _code(node.children[1]).strip() == "="


class SwapMembership:
    """Put `not in` for `in`, and `in` for `not in`, where something is compared."""

    def mutation_positions(self, node: NodeOrLeaf) -> Iterable[tuple[Position, Position]]:
        """Yield the place of each operator."""
        for sign in _membership_signs(node):
            yield sign.start_pos, sign.end_pos

    def mutate(self, node: NodeOrLeaf, index: int) -> NodeOrLeaf:
        """Exchange the operator."""
        assert isinstance(node, BaseNode)  # noqa: S101  # it has given a position
        sign = _membership_signs(node)[index]
        other = " in" if "not" in _code(sign) else " not in"
        node.children[node.children.index(sign)] = _parsed(other)
        return node


def _membership_signs(node: NodeOrLeaf) -> Sequence[NodeOrLeaf]:
    if not isinstance(node, BaseNode) or node.type != "comparison":
        return ()
    return [child for child in node.children[1::2] if _code(child).split() in (["in"], ["not", "in"])]


class NegateFilter:
    """Negate the condition of a comprehension."""

    def mutation_positions(self, node: NodeOrLeaf) -> Iterable[tuple[Position, Position]]:
        """Yield the condition's place."""
        if isinstance(node, BaseNode) and node.type == "comp_if":
            yield node.children[1].start_pos, node.children[1].end_pos

    def mutate(self, node: NodeOrLeaf, index: int) -> NodeOrLeaf:
        """Put `not` and brackets around the condition."""
        del index  # there is one place
        assert isinstance(node, BaseNode)  # noqa: S101  # it has given a position
        node.children[1] = _parsed(f" not ({_code(node.children[1]).strip()})")
        return node


class ChangeName:
    """Change a string that is a name, which is one without a space: sentences are for people, not for tests."""

    def mutation_positions(self, node: NodeOrLeaf) -> Iterable[tuple[Position, Position]]:
        """Yield the string's place."""
        if isinstance(node, String) and _is_name(node):
            yield node.start_pos, node.end_pos

    def mutate(self, node: NodeOrLeaf, index: int) -> NodeOrLeaf:
        """Append an x."""
        del index  # there is one place
        assert isinstance(node, Leaf)  # noqa: S101  # it has given a position
        node.value = f"{node.value[:-1]}x{node.value[-1]}"
        return node


def _is_name(node: String) -> bool:
    is_part = node.parent is not None and node.parent.type == "strings"
    return not (is_part or any(character.isspace() for character in node.value) or node.value.endswith(('"""', "'''")))


_NEIGHBOURS = (
    *("Eq_NotEq", "NotEq_Eq", "Is_IsNot", "IsNot_Is"),
    *("Lt_LtE", "Lt_GtE", "LtE_Lt", "LtE_Gt", "Gt_GtE", "Gt_LtE", "GtE_Gt", "GtE_Lt"),
)
_ARITHMETIC = (
    *("Add_Sub", "Sub_Add", "Mul_FloorDiv", "FloorDiv_Mul", "Div_Mul", "Mod_Mul"),
    *("BitOr_BitAnd", "BitAnd_BitOr", "Sub_BitAnd", "LShift_RShift", "RShift_LShift"),
)
_OF_COSMIC_RAY = (
    *(f"ReplaceComparisonOperator_{pair}" for pair in _NEIGHBOURS),
    *(f"ReplaceBinaryOperator_{pair}" for pair in _ARITHMETIC),
    *("ReplaceUnaryOperator_Delete_Not", "ReplaceUnaryOperator_Delete_USub"),
    *("ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "ReplaceAndWithOr", "ReplaceOrWithAnd", "AddNot"),
    *("ReplaceBreakWithContinue", "ReplaceContinueWithBreak", "ZeroIterationForLoop"),
    *("ExceptionReplacer", "NumberReplacer", "RemoveDecorator"),
)

OPERATORS: Mapping[str, Operator] = {
    **{name: get_operator(f"core/{name}")() for name in _OF_COSMIC_RAY},
    "DropStatement": DropStatement(),
    "DropKeywordArgument": DropKeywordArgument(),
    "SwapMembership": SwapMembership(),
    "NegateFilter": NegateFilter(),
    "ChangeName": ChangeName(),
}
"""Every way that is tried, by its name."""
