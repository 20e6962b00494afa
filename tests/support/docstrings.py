"""Read the sections of docstrings: which arguments and attributes they describe, and in which words."""

import ast
import inspect
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args, get_type_hints

__all__ = ["attribute_texts", "instance_attributes", "parameters", "section", "texts_below_names"]

_SECTION = re.compile(r"^(Args|Attributes|Raises):$")
_ENTRY = re.compile(r"^    (?P<name>\w+): (?P<text>\S.*)$")


def section(documented: object, title: str) -> dict[str, str]:
    """Return the entries of one section of a docstring, each text on one line; empty without that section."""
    entries: dict[str, str] = {}
    current, name = "", ""
    for line in (inspect.getdoc(documented) or "").splitlines():
        heading, entry = _SECTION.match(line), _ENTRY.match(line)
        if heading or (line and not line.startswith(" ")):
            current = heading[1] if heading else ""
        elif current == title and entry:
            name = entry["name"]
            assert name not in entries, f"{name} is described twice"
            entries[name] = entry["text"]
        elif current == title and name and line.strip():
            entries[name] += f" {line.strip()}"
    return entries


def parameters(called: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """Return the parameters of a class or function; keyword arguments of a TypedDict one by one, without default."""
    found: dict[str, inspect.Parameter] = {}
    for name, each in inspect.signature(called).parameters.items():
        if each.kind is inspect.Parameter.VAR_KEYWORD:
            (fields,) = get_args(each.annotation)
            kind = inspect.Parameter.KEYWORD_ONLY
            found |= {field: inspect.Parameter(field, kind) for field in get_type_hints(fields)}
        else:
            found[name] = each
    return found


def attribute_texts(kind: type) -> dict[str, str]:
    """Return the docstring below each annotation of a class and of those it stands on, each text on one line."""
    texts: dict[str, str] = {}
    tree = ast.parse(Path(inspect.getfile(kind)).read_text())
    classes = {each.name: each for each in tree.body if isinstance(each, ast.ClassDef)}

    def collect(name: str) -> None:
        for base in classes[name].bases:
            if isinstance(base, ast.Name) and base.id in classes:
                collect(base.id)
        texts.update(texts_below_names(classes[name].body))

    collect(kind.__name__)
    return texts


def texts_below_names(body: list[ast.stmt]) -> dict[str, str]:
    """Return the text that stands below each assignment of a class or module."""
    texts = {}
    for statement, below in pairwise(body):
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and isinstance(below.value.value, str):
            for name in _targets(statement):
                texts[name] = " ".join(below.value.value.split())
    return texts


def instance_attributes(kind: type) -> set[str]:
    """Return the public names that a class annotates, or sets on its instances."""
    tree = ast.parse(inspect.getsource(kind))
    (definition,) = (each for each in tree.body if isinstance(each, ast.ClassDef))
    annotated = {name for each in definition.body if isinstance(each, ast.AnnAssign) for name in _targets(each)}
    assigned = {
        each.attr
        for each in ast.walk(definition)
        if isinstance(each, ast.Attribute)
        and isinstance(each.ctx, ast.Store)
        and isinstance(each.value, ast.Name)
        and each.value.id == "self"
    }
    return {name for name in annotated | assigned if not name.startswith("_")}


def _targets(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        yield statement.target.id
    elif isinstance(statement, ast.Assign):
        yield from (each.id for each in statement.targets if isinstance(each, ast.Name))
