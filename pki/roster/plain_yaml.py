"""The part of YAML that a roster needs: mappings, lists and values, of bounded depth and size.

What YAML can do beyond that is refused, not read: aliases, with which a few lines become gigabytes; tags, which choose
how a value is made; merge keys; directives; several documents. No message shows anything of the text, which may be that
of a file which nobody meant.
"""

import re
from typing import Any, ClassVar, Final

import yaml

from postseal_core.bounds import DEEPEST

__all__ = ["NotPlain", "compose_plain", "line_of", "value_of"]

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where PyYAML has libyaml
_MOST_EVENTS: Final = 1_000_000  # each node has a few hundred bytes
_UNPRINTABLE: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_DECIMAL: Final = re.compile(r"-?(0|[1-9][0-9]{0,17})")
# What PyYAML says of the grammar: words, and tokens as '<scalar>' or ':'; never a piece of the text.
_OF_GRAMMAR: Final = re.compile(r"(?:[A-Za-z ,.-]|'<[a-z ]+>'|'[^\w\s]')+", re.ASCII)
_QUOTE_IT: Final = "a value looks like a number or a day and is none; put it into quotes"


class NotPlain(Exception):  # noqa: N818 - caught where it is raised for; no error that anybody else sees
    """The text is no YAML or uses more than the plain part of it; `message` goes on after the line number."""

    def __init__(self, line: int, message: str) -> None:
        self.line = line
        self.message = message
        super().__init__(message)


def compose_plain(text: str) -> yaml.Node | None:
    """Return the tree of a text; None for an empty one. Raises NotPlain."""
    if unprintable := _UNPRINTABLE.search(text):
        raise NotPlain(text.count("\n", 0, unprintable.start()) + 1, "holds a control character; remove it")
    try:
        _refuse_more(text)
        node: yaml.Node | None = yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        raise _not_yaml(error) from None
    return node


def value_of(node: yaml.Node) -> Any:
    """Return the value that a node stands for. Raises NotPlain."""
    try:
        return _Constructor().construct_document(node)
    except yaml.YAMLError as error:
        raise _not_yaml(error) from None
    except (ValueError, LookupError, AttributeError, TypeError, ArithmeticError):
        # `2026-13-45` looks like a day; PyYAML lets the errors of Python through.
        raise NotPlain(line_of(node), _QUOTE_IT) from None


def line_of(node: yaml.Node | yaml.Event) -> int:
    """Return the line in which something begins, counted from 1."""
    mark: Any = node.start_mark
    return int(mark.line) + 1


def _refuse_more(text: str) -> None:
    """Refuse texts that are too deep or too large, event by event: composing them would overflow the stack."""
    depth = documents = 0
    for number, event in enumerate(yaml.parse(text, Loader=_LOADER)):
        documents += isinstance(event, yaml.DocumentStartEvent)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise NotPlain(line_of(event), "is nested too deeply; a roster has clients, and fields below them")
        if number > _MOST_EVENTS:
            raise NotPlain(line_of(event), "is the end of what is read: there are more than a million values")
        if documents > 1:
            raise NotPlain(line_of(event), "begins a second document; write one roster in a file")
        if fault := _fault_of_event(event):
            raise NotPlain(line_of(event), fault)


def _fault_of_event(event: yaml.Event) -> str:
    if isinstance(event, yaml.NodeEvent) and event.anchor is not None:
        return "has an alias or an anchor (& or *); write each value where it belongs, in quotes if it begins so"
    if isinstance(event, yaml.DocumentStartEvent) and (event.version or event.tags):
        return "has a directive (%); leave it out"
    if getattr(event, "tag", None) is not None:
        return "has a tag (!); write the value alone, in quotes if it begins so"
    if isinstance(event, yaml.ScalarEvent) and event.value == "<<" and not event.style:
        return "has a merge key (<<); write the fields out"
    return ""


def _not_yaml(error: yaml.YAMLError) -> NotPlain:
    problem = str(getattr(error, "problem", "") or "")
    mark = getattr(error, "problem_mark", None)
    words = problem if _OF_GRAMMAR.fullmatch(problem) else "look for quotes, colons and blanks at this place"
    return NotPlain(mark.line + 1 if mark else 1, f"is not YAML: {words}")


def _whole_number(_: yaml.constructor.SafeConstructor, node: yaml.ScalarNode) -> int:
    """Return a decimal number; refuse YAML 1.1's other forms, to which 0777 is 511 and 190:20:30 is 685230."""
    if not _DECIMAL.fullmatch(node.value):
        raise NotPlain(line_of(node), "a number is none in decimal digits; write it as 24, or put it into quotes")
    return int(node.value)


class _Constructor(yaml.constructor.SafeConstructor):
    """Makes values of nodes, with whole numbers in decimal digits only."""

    yaml_constructors: ClassVar[dict[Any, Any]] = {
        **yaml.constructor.SafeConstructor.yaml_constructors,
        "tag:yaml.org,2002:int": _whole_number,
    }
