"""The names that a program may use."""

import ast
import importlib
from pathlib import Path
from types import FunctionType, ModuleType
from typing import get_args

import pulumi
import pytest

import pki
import postfix

PACKAGES = [pki, postfix]


@pytest.mark.parametrize("package", PACKAGES)
def test_the_public_names_are_sorted_and_can_all_be_loaded(package: ModuleType) -> None:
    """`__all__` and `dir()` list the same names, in order; a class or function is called by its name."""
    assert package.__all__ == sorted(package.__all__) == dir(package)
    for name in package.__all__:
        value = getattr(package, name)
        if isinstance(value, type | FunctionType):
            assert value.__name__ == name
        else:
            assert get_args(value)  # an alias: the types or words it stands for


@pytest.mark.parametrize("package", PACKAGES)
def test_type_checkers_see_the_same_names(package: ModuleType) -> None:
    """What is imported for type checkers only is what `__all__` lists, so that no public name is without a type."""
    tree = ast.parse(Path(str(package.__file__)).read_text())
    (checked,) = (node for node in tree.body if isinstance(node, ast.If))
    names = {alias.name for node in checked.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert sorted(names) == package.__all__


@pytest.mark.parametrize("package", PACKAGES)
def test_type_checkers_see_no_other_names(package: ModuleType) -> None:
    """A module with `__getattr__` has every name to a type checker, misspelt ones too: it is hidden from them."""
    tree = ast.parse(Path(str(package.__file__)).read_text())
    assert "__getattr__" not in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("package", PACKAGES)
def test_every_resource_and_component_is_public(package: ModuleType) -> None:
    """A class that a module of components offers can be reached from the package."""
    paths = Path(str(package.__file__)).parent.joinpath("components").glob("[a-z]*.py")
    modules = [importlib.import_module(f"{package.__name__}.components.{path.stem}") for path in paths]
    offered = {
        name
        for module in modules
        for name in getattr(module, "__all__", ())
        if isinstance(each := getattr(module, name), type) and issubclass(each, pulumi.Resource)
    }
    assert offered
    assert offered <= {*package.__all__}


@pytest.mark.parametrize("package", PACKAGES)
def test_a_name_that_is_not_there_is_an_attribute_error(package: ModuleType) -> None:
    """A misspelt name says which package does not have it."""
    with pytest.raises(AttributeError, match=f"module '{package.__name__}' has no attribute 'Certifikate'"):
        _ = package.Certifikate
