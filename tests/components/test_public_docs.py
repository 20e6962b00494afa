"""Every public name says in its docstring what each of its arguments and attributes is, in sentences."""

import ast
import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from enum import EnumType
from pathlib import Path
from types import FunctionType
from typing import Any, Unpack, get_args, get_origin, is_typeddict

import pulumi
import pytest

import pki
import postfix
from pki.arguments import AuthorityFields, ClientFields, RequestFields, RosterFields, ServerFields
from pki.fields import FIELDS
from tests.support.docstrings import (
    attribute_texts,
    instance_attributes,
    parameters,
    section,
    texts_below_names,
)

REPOSITORY = Path(__file__).parents[2]
PUBLIC = {
    f"{package.__name__}.{name}": getattr(package, name) for package in (pki, postfix) for name in package.__all__
}
CLASSES = {name: each for name, each in PUBLIC.items() if isinstance(each, type) and not is_typeddict(each)}
CALLED = {
    name: each
    for name, each in PUBLIC.items()
    if isinstance(each, FunctionType) or (name in CLASSES and not isinstance(each, EnumType))
}
METHODS = {
    f"{name}.{method}": value
    for name, each in CLASSES.items()
    for method, value in vars(each).items()
    if isinstance(value, FunctionType)
    and not method.startswith("_")
    and value.__module__.startswith(("pki", "postfix"))
}
ALIASES = [
    name for name, each in PUBLIC.items() if name not in CALLED and name not in CLASSES and not is_typeddict(each)
]
SURFACES = [AuthorityFields, ClientFields, RequestFields, RosterFields, ServerFields]
A_SENTENCE = re.compile(r"[A-Z0-9`].*\.", re.DOTALL)
NAMED = re.compile(r"\b(pki|postfix)\.([A-Z]\w*|[a-z_]\w*(?=\())")
IN_BACKTICKS = re.compile(r"`([A-Z][A-Z0-9]*[a-z]\w*)(?=[`(.])")
PYTHON_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE_CODE = re.compile(r"`([^`\n]+)`")


def described(kind: type) -> dict[str, str]:
    """Return what a class says of its arguments and attributes, and what public classes it stands on say of theirs."""
    known = {each for each in PUBLIC.values() if isinstance(each, type)}
    texts: dict[str, str] = {}
    for each in reversed([base for base in kind.__mro__ if base in known]):
        texts |= section(each, "Attributes")
    return texts | section(kind, "Args")


def attributes_of(kind: type) -> set[str]:
    """Return the public attributes of a class's instances that this project gives them."""
    if isinstance(kind, EnumType):
        return {*kind.__members__}
    ours = [each for each in kind.__mro__ if each.__module__.startswith(("pki.", "postfix.", "postseal_core.errors"))]
    properties = {name for each in ours for name, value in vars(each).items() if isinstance(value, property)}
    is_resource = issubclass(kind, pulumi.Resource)  # the properties of others are described by themselves alone
    return {name for each in ours for name in instance_attributes(each)} | (properties if is_resource else set())


@pytest.mark.parametrize("name", [*CALLED, *METHODS])
def test_every_argument_is_described_and_nothing_else(name: str) -> None:
    """Exactly those that the signature has, those of a certificate's fields included."""
    called = (CALLED | METHODS)[name]
    expected = {*parameters(called)} - ({"self"} if name in METHODS else set())
    told = section(called, "Args")
    if not told and isinstance(called, type) and not issubclass(called, pulumi.Resource):
        told = section(called, "Attributes")  # of what programs are given and never make
    assert {*told} == expected


@pytest.mark.parametrize("name", CLASSES)
def test_every_attribute_is_described(name: str) -> None:
    """Outputs, and whatever else a program may read: in the class's own docstring or that of a public one below it."""
    missing = attributes_of(CLASSES[name]) - described(CLASSES[name]).keys()
    assert missing == set()


@pytest.mark.parametrize("name", CLASSES)
def test_no_attribute_is_described_that_is_not_there(name: str) -> None:
    """A docstring does not keep what has gone."""
    kind = CLASSES[name]
    there = attributes_of(kind) | {each for each in dir(kind) if isinstance(getattr(kind, each, None), property)}
    assert {*section(kind, "Attributes")} - there - {*getattr(kind, "__slots__", ())} == set()


@pytest.mark.parametrize("name", [*CALLED, *CLASSES, *METHODS])
def test_descriptions_are_sentences(name: str) -> None:
    """They begin with a capital letter and end with a full stop."""
    each = PUBLIC.get(name) or METHODS[name]
    texts = section(each, "Args") | section(each, "Attributes")
    assert [text for text in texts.values() if not A_SENTENCE.fullmatch(text)] == []
    assert re.match(r"[A-Z].*[.:]", (inspect.getdoc(each) or "").splitlines()[0])


@pytest.mark.parametrize("name", [*CALLED, *METHODS])
def test_what_happens_without_an_argument_is_said(name: str) -> None:
    """Whoever leaves an argument out learns what is done then."""
    called = (CALLED | METHODS)[name]
    told = section(called, "Args")
    optional = [each.name for each in parameters(called).values() if each.default is not inspect.Parameter.empty]
    assert [each for each in optional if each in told and "efault" not in told[each]] == []


@pytest.mark.parametrize("name", [name for name, each in CLASSES.items() if issubclass(each, pulumi.Resource)])
def test_errors_are_said(name: str) -> None:
    """A class that registers something refuses wrong arguments with an error that programs can catch."""
    made_by_others = ("pki.Certificate", "pki.ImportedCertificate", "pki.RequestedAuthority")  # which have checked them
    if name not in made_by_others:
        assert "ConfigError" in section(CLASSES[name], "Raises")


@pytest.mark.parametrize("name", CLASSES)
def test_properties_and_methods_say_what_they_are(name: str) -> None:
    """Each has a docstring of its own."""
    own = {
        member: value
        for member, value in vars(CLASSES[name]).items()
        if not member.startswith("_") and isinstance(value, property | FunctionType | classmethod)
    }
    assert [member for member, value in own.items() if not inspect.getdoc(value)] == []


@pytest.mark.parametrize("name", ALIASES)
def test_an_alias_says_what_it_stands_for(name: str) -> None:
    """In the text below it, which editors show."""
    package, _, alias = name.partition(".")
    tree = ast.parse((REPOSITORY / package / "__init__.py").read_text())
    (home,) = (
        node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and alias in {each.name for each in node.names}
    )
    module = importlib.import_module(str(home))
    assert texts_below_names(ast.parse(Path(str(module.__file__)).read_text()).body)[alias]


def fields_of(called: Callable[..., Any]) -> Any:
    """Return the TypedDict whose fields a class takes as keyword arguments, None for a class without."""
    hints = [each.annotation for each in inspect.signature(called).parameters.values()]
    return next((get_args(hint)[0] for hint in hints if get_origin(hint) is Unpack), None)


@pytest.mark.parametrize("name", [name for name, each in CALLED.items() if fields_of(each)])
def test_the_fields_of_a_certificate_are_described_in_every_class_that_takes_them(name: str) -> None:
    """In the words of `pki.arguments`, which the class does not repeat."""
    texts, told = attribute_texts(fields_of(CALLED[name])), section(CALLED[name], "Args")
    assert {field: told.get(field) for field in texts} == texts


@pytest.mark.parametrize("arguments", SURFACES, ids=lambda each: each.__name__)
def test_the_meaning_of_a_field_is_the_declared_one(arguments: type) -> None:
    """What `pki.arguments` says of a field begins with its meaning in `pki.fields`."""
    texts = attribute_texts(arguments)
    assert {*texts} == arguments.__annotations__.keys()
    for name, text in texts.items():
        assert text.lower().startswith(FIELDS[name].meaning.lower()), FIELDS[name].meaning


def names_in_docstrings() -> Iterator[tuple[str, str]]:
    """Yield each name that a public docstring mentions: as `pki.Name`, or alone in backticks."""
    for name, each in PUBLIC.items() | METHODS.items():
        package = name.partition(".")[0]
        text = inspect.getdoc(each) or "" if isinstance(each, type | FunctionType) else ""
        yield from ((f"{found[1]}.{found[2]}", name) for found in NAMED.finditer(text))
        yield from ((f"{package}.{error}", name) for error in section(each, "Raises"))
        for found in IN_BACKTICKS.finditer(text):
            is_postfix = package == "postfix" and found[1] in postfix.__all__
            yield f"{'postfix' if is_postfix or found[1] not in pki.__all__ else 'pki'}.{found[1]}", name


def names_in_documents() -> Iterator[tuple[str, str]]:
    """Yield each name of our packages in code of the documents, and in programs of the repository."""
    documents = [REPOSITORY / "README.md", *(REPOSITORY / "docs").rglob("*.md"), *REPOSITORY.glob("examples/**/*.md")]
    for path in documents:
        page = path.read_text()
        code = [*PYTHON_BLOCK.findall(page), *INLINE_CODE.findall(PYTHON_BLOCK.sub("", page))]
        for text in code:
            yield from ((f"{found[1]}.{found[2]}", path.name) for found in NAMED.finditer(text))
    for path in REPOSITORY.glob("examples/*/*.py"):
        yield from ((f"{found[1]}.{found[2]}", str(path)) for found in NAMED.finditer(path.read_text()))


def test_every_name_that_docstrings_and_documents_mention_can_be_imported() -> None:
    """Nobody has to look for a class in a module that is not public."""
    named = [*names_in_docstrings(), *names_in_documents()]
    assert {name for name, _ in named} >= {"pki.ConfigError", "pki.parse_csv", "postfix.ClientRow", "pki.HandOut"}
    assert sorted({(name, where) for name, where in named if name not in PUBLIC}) == []


def own_types(hint: Any) -> set[type]:
    """Return the classes of this project that a type hint names."""
    found = {each for part in get_args(hint) for each in own_types(part)}
    is_own = isinstance(hint, type) and hint.__module__.partition(".")[0] in ("pki", "postfix", "postseal_core")
    return found | ({hint} if is_own else set())


@pytest.mark.parametrize("name", [*CALLED, *METHODS])
def test_every_type_in_a_signature_is_public(name: str) -> None:
    """A program can name whatever it passes and whatever it gets."""
    called = (CALLED | METHODS)[name]
    hints = [each.annotation for each in inspect.signature(called).parameters.values()]
    hints.append(inspect.signature(called).return_annotation)
    hidden = {each.__name__ for hint in hints for each in own_types(hint)} - {
        each.__name__ for each in PUBLIC.values() if isinstance(each, type)
    }
    # Records that only classes of ours make and take.
    records = {"Awaiting", "CertificateArgs", "ImportedCertificateArgs", "RequestedAuthorityArgs"}
    assert hidden <= records | {"Said", "Validity"}
