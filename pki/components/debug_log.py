"""Keep secret stack outputs out of the engine's debug messages."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pulumi

__all__ = ["withhold_outputs_from_debug_log"]


def withhold_outputs_from_debug_log() -> None:
    """Keep secret outputs out of what `--json`, `--debug` and `--event-log` show; call it before anything is exported.

    The Python SDK (3.250.0, register_resource_outputs) sends all outputs of a stack, secrets in clear, as a debug
    message to the engine, which prints or keeps it there. Everything else in debug messages stays.
    """
    pulumi.log.debug = partial(_debug_without_outputs, pulumi.log.debug)


def _debug_without_outputs(debug: Callable[..., None], msg: str, *args: Any, **options: Any) -> None:
    debug(msg.partition(", props=")[0], *args, **options)
