"""The side of a Pulumi program: resources declared by records, and errors that the engine shows as sentences."""

from collections.abc import Iterable
from inspect import get_annotations
from typing import Any, ClassVar, get_origin

import pulumi

from postseal_core.errors import ConfigError, Problem
from postseal_core.records import encode, secret_names
from postseal_core.waiting import Awaiting

__all__ = ["ArgumentError", "RecordResource", "later", "merged", "refuse", "with_whole_numbers"]


class ArgumentError(ConfigError, pulumi.RunError):
    """Arguments of a program cannot be accepted; the engine shows the sentences, without a traceback."""


def refuse(problems: Iterable[Problem]) -> None:
    """Raise ArgumentError if there is any problem."""
    found = tuple(problems)
    if found:
        raise ArgumentError(found)


def later(output: pulumi.Input[Any]) -> Any:
    """Pass an output as a value of a record; the engine fills it in once it is known.

    It is not checked here whether that will be of the field's type; the plugin does.
    """
    return output


def with_whole_numbers(value: Any) -> Any:
    """Convert whole floats in an output's value to int; the SDK delivers all numbers as floats."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [with_whole_numbers(item) for item in value]
    if isinstance(value, dict):
        return {name: with_whole_numbers(member) for name, member in value.items()}
    return value


def merged(opts: pulumi.ResourceOptions | None, ours: pulumi.ResourceOptions) -> pulumi.ResourceOptions:
    """Return a user's options with ours added; neither is changed."""
    options: pulumi.ResourceOptions = pulumi.ResourceOptions.merge(opts, ours)
    return options


class RecordResource(pulumi.CustomResource):
    """A resource of this package, declared by the record of its arguments; its outputs are those of its state.

    `awaits`: what it waits for, where it is declared by `Awaiting`; empty otherwise. Its outputs say nothing then.

    A class that can be declared names its type in `resource_type`, which is its own name, and the class of its `state`.
    Attributes of a resource are set after `super().__init__`, which makes an output of every property.
    """

    resource_type: ClassVar[str]
    state: ClassVar[type[Any]]

    awaits: str

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        # The SDK reads the types of outputs from the annotations of the very class, not of its bases.
        hints = {name: hint for base in reversed(cls.__mro__) for name, hint in get_annotations(base).items()}
        cls.__annotations__ = {name: hint for name, hint in hints.items() if get_origin(hint) is pulumi.Output}

    def __init__(self, name: str, args: object, opts: pulumi.ResourceOptions | None) -> None:
        # Only what is annotated can be asked for, and each further output costs the SDK time in every other's wait.
        outputs = dict.fromkeys(sorted(type(self).__annotations__))
        hidden = pulumi.ResourceOptions(additional_secret_outputs=sorted(secret_names(self.state)))
        token = f"postseal:index:{self.resource_type}"
        super().__init__(token, name, {**outputs, **encode(args)}, merged(opts, hidden))
        self.awaits = args.awaits if isinstance(args, Awaiting) else ""
