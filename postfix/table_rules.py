"""What tables that stand in main.cf itself can answer: `inline:`, `static:`, `randmap:` and patterns in braces.

A table that is a file, or is asked elsewhere, is not looked into.
"""

import re
from collections.abc import Iterator
from typing import Final

from postfix.list_items import split_list
from postseal_core.wording import shown

__all__ = ["answers_of", "faults_of_rules"]

_NESTING: Final = frozenset({"pipemap", "unionmap"})
_EXPRESSIONS: Final = frozenset({"pcre", "regexp"})
# Postfix takes whatever is no letter and no digit for the sign around a pattern, and any number of ! before it. It
# would also take a second pattern, /x/!/y/, which is left out here: nobody needs it where an answer has to be known.
_RULE: Final = re.compile(
    r"[!\s]*(?P<sign>[^A-Za-z0-9\s!])(\\.|(?!(?P=sign))[^\\])*(?P=sign)[A-Za-z]*\s+(?P<answer>.*)", re.DOTALL
)
_CONDITION: Final = re.compile(r"if\s.*|endif", re.IGNORECASE | re.DOTALL)
_NETWORK_RULE: Final = re.compile(r"\S+\s+(?P<answer>.*)", re.DOTALL)


def answers_of(value: str) -> Iterator[str]:
    """Yield what the tables of a list may answer, with `$$` as the `$` that it stands for in main.cf."""
    return (answer.replace("$$", "$").strip() for answer in _answers(value))


def faults_of_rules(table_type: str, name: str) -> Iterator[str]:
    """Say which rules of a table of patterns cannot be read, so that nobody knows their answers."""
    if table_type in _EXPRESSIONS and name.startswith("{"):
        for rule in _items(name[1:].removesuffix("}")):
            if not (_RULE.fullmatch(rule) or _CONDITION.fullmatch(rule)):
                yield f"{shown(rule)} is no rule that can be judged; write it as /pattern/ answer"


def _answers(value: str) -> Iterator[str]:
    for item in split_list(value):
        table_type, _, content = item.partition(":")
        if table_type == "proxy":
            yield from _answers(content)
        elif table_type == "static":
            yield content.removeprefix("{").removesuffix("}")
        elif content.startswith("{"):
            yield from _inline_answers(table_type, content[1:].removesuffix("}"))


def _inline_answers(table_type: str, content: str) -> Iterator[str]:
    if table_type in _NESTING:
        yield from _answers(content)
        return
    for rule in _items(content):
        if table_type == "randmap":
            yield rule
        elif table_type == "inline":
            yield rule.partition("=")[2].strip()
        elif match := (_NETWORK_RULE if table_type == "cidr" else _RULE).fullmatch(rule):
            yield match["answer"]


def _items(content: str) -> Iterator[str]:
    return (each.removeprefix("{").removesuffix("}").strip() for each in split_list(content))
