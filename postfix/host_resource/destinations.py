"""Where a host's files are brought to: a plain directory, or the Postfix of this machine or another one."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from postfix.host_resource.destination import Destination
from postfix.host_resource.plain_directory import in_plain_directory
from postfix.host_resource.running_postfix import on_another_machine, on_this_machine
from postfix.target import Target, TargetKind

__all__ = ["DESTINATIONS", "destination_of"]

DESTINATIONS: Final[Mapping[TargetKind, Callable[[Target], Destination]]] = MappingProxyType(
    {
        TargetKind.DIRECTORY: in_plain_directory,
        TargetKind.LOCAL: on_this_machine,
        TargetKind.SSH: on_another_machine,
    }
)
"""What writes to each kind of target; a kind that is not here is no kind, rather than the Postfix of this machine."""


def destination_of(target: Target) -> Destination:
    """Return the destination that a target names."""
    return DESTINATIONS[target.kind](target)
