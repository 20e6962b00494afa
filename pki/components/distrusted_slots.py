"""The distrusted slots of all authorities that one run of a program has declared so far."""

from collections.abc import Mapping
from typing import Final
from weakref import WeakKeyDictionary

import pulumi
from pulumi.runtime.settings import get_monitor

from pki.model import SlotId

__all__ = ["add_distrusted", "distrusted_slots"]

_Slots = dict[SlotId, pulumi.Output[str]]

_BY_RUN: Final[WeakKeyDictionary[object, _Slots]] = WeakKeyDictionary()
"""By the connection to the engine, of which each run of a program has one."""


def add_distrusted(slots: Mapping[SlotId, pulumi.Output[str]]) -> None:
    """Remember the slots of an authority with their certificates in PEM, for this run of the program."""
    _BY_RUN.setdefault(get_monitor(), {}).update(slots)


def distrusted_slots() -> Mapping[SlotId, pulumi.Output[str]]:
    """Return the distrusted slots of every authority that was declared before, with their certificates in PEM."""
    return dict(_BY_RUN.get(get_monitor(), {}))
