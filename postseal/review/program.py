"""Run the stack's own program without an engine: each registration is answered by what a preview would decide."""

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

import pulumi
from pulumi.runtime import mocks, set_all_config
from pulumi.runtime.proto import resource_pb2

from postseal.review.deciding import Deciding
from postseal.review.steps import Step
from postseal.stack.build import register_stack
from postseal.stack.model import StackConfig
from postseal_core.errors import ConfigError, PostsealError, Problem
from postseal_core.plugin.codec import from_struct, to_struct

__all__ = ["registered_steps"]

_STACK: Final = "pulumi:pulumi:Stack"


def registered_steps(
    config: StackConfig, values: Mapping[str, str], secret_keys: set[str], *, names: tuple[str, str], deciding: Deciding
) -> tuple[dict[str, Step], tuple[str, ...]]:
    """Return a step for everything that a stack registers, by URN, and what the program warns of.

    `names`: of project and stack.

    `values`: the configuration as the engine hands it to a program, stand-ins in the place of secrets.

    Raises:
        ConfigError: a component refuses its arguments.
    """
    project, stack = names
    monitor = _Monitor(project, stack, deciding)
    warnings = _Warnings()
    mocks.set_mocks(monitor.mocks, project=project, stack=stack, preview=True, logger=warnings.logger, monitor=monitor)
    set_all_config(
        {f"{project}:{key}": value for key, value in values.items()}, [f"{project}:{key}" for key in secret_keys]
    )
    _run(lambda: register_stack(config))
    return monitor.steps, tuple(sorted(warnings.told))


def _run(program: Callable[[], object]) -> None:
    def run() -> None:
        program()

    try:
        mocks.test(run)()  # type: ignore[no-untyped-call]
    except ConfigError:
        raise
    except (PostsealError, pulumi.RunError) as error:
        raise ConfigError([Problem("", str(error))]) from None


class _Warnings(logging.Handler):
    """Keeps what a program warns of, in place of the engine that shows it."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.told: set[str] = set()
        self.logger = logging.Logger("review")  # noqa: LOG001  # of this run alone
        self.logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one message."""
        self.told.add(record.getMessage())


class _NoCalls(mocks.Mocks):
    """The mocks that the SDK asks for; everything is answered by the monitor."""

    def call(self, args: mocks.MockCallArgs) -> Any:
        """Refuse: the program calls no functions of providers."""
        raise PostsealError(f"{args.token}: a review calls no functions of providers")

    def new_resource(self, args: mocks.MockResourceArgs) -> Any:
        """Refuse: the program reads no resources that it has not made."""
        raise PostsealError(f"{args.typ}: a review reads no resources of others")


class _Monitor(mocks.MockMonitor):
    """Answers as the engine does; the SDK asks from several threads, and one decision is made at a time."""

    def __init__(self, project: str, stack: str, deciding: Deciding) -> None:
        super().__init__(_NoCalls())
        # What the SDK knows of project and stack is not known in its other threads.
        self._project, self._stack, self._deciding = project, stack, deciding
        self._lock = threading.Lock()
        self.steps: dict[str, Step] = {}

    def RegisterResource(self, request: Any) -> resource_pb2.RegisterResourceResponse:  # noqa: N802
        """Decide about a resource; a component only has a name."""
        urn = self._urn(request.parent, request.type, request.name)
        if request.type == _STACK or not request.custom:
            return resource_pb2.RegisterResourceResponse(urn=urn)
        with self._lock:
            answer = self._deciding.answer(urn, request.type, from_struct(request.object).properties)
            self.steps[urn] = answer.step
        return resource_pb2.RegisterResourceResponse(urn=urn, id=request.name, object=to_struct(answer.outputs))

    def _urn(self, parent: str, token: str, name: str) -> str:
        above = parent.split("::")[2] if parent else _STACK
        types = token if above == _STACK else f"{above}${token}"
        return f"urn:pulumi:{self._stack}::{self._project}::{types}::{name}"
