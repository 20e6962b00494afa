"""Answers to the engine: differences, failed checks, and errors without traceback."""

import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import grpc
from pulumi.runtime.proto import provider_pb2 as pb

from postseal_core.errors import PostsealError, Problem
from postseal_core.plugin.diff import Change, member_of

__all__ = ["check_failures", "clean_errors", "diff_response"]

_LONGEST: Final = 2000
"""gRPC takes 8 KiB for all that goes along with a status."""

_DIFF_KINDS = {
    Change.ADD: pb.PropertyDiff.ADD,
    Change.DELETE: pb.PropertyDiff.DELETE,
    Change.UPDATE: pb.PropertyDiff.UPDATE,
}


@contextmanager
def clean_errors(context: grpc.ServicerContext) -> Iterator[None]:
    """Turn exceptions into a status with one clean sentence; `abort` raises, so nothing after it runs."""
    try:
        yield
    except PostsealError as error:
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, _sayable(str(error)))
    except Exception as error:
        if _is_abort(error):
            raise
        context.abort(grpc.StatusCode.INTERNAL, _internal_error(error))


def diff_response(changes: Mapping[str, Change]) -> pb.DiffResponse:
    """Return the answer to Diff; nothing is ever replaced."""
    details = {path: pb.PropertyDiff(kind=_DIFF_KINDS[change], inputDiff=True) for path, change in changes.items()}
    return pb.DiffResponse(
        changes=pb.DiffResponse.DIFF_SOME if details else pb.DiffResponse.DIFF_NONE,
        diffs=sorted({member_of(path) for path in details}),
        detailedDiff=details,
        hasDetailedDiff=True,
    )


def _is_abort(error: Exception) -> bool:
    """Return whether an exception is gRPC's abort, a bare Exception that must pass through."""
    return type(error) is Exception and not error.args


def _internal_error(error: Exception) -> str:
    """Return where it happened and what kind of error it was, never its text: that may quote a secret."""
    frames = traceback.extract_tb(error.__traceback__)
    where = (
        f"{frames[-1].name}, line {frames[-1].lineno} of {frames[-1].filename.rsplit('/', 1)[-1]}" if frames else "?"
    )
    print(f"postseal: internal error {type(error).__name__} in {where}", file=sys.stderr, flush=True)
    return (
        f"internal error in postseal ({type(error).__name__} in {where}); this is a bug. `pulumi preview` shows "
        "what is left to do"
    )


def check_failures(problems: Iterable[Problem]) -> list[pb.CheckFailure]:
    """Return the failures of a Check, one for each problem."""
    # The engine would print `property NAME value {<nil>}` before the sentence; the path inside it reads better.
    return [pb.CheckFailure(reason=_writable(str(problem))) for problem in problems]


def _sayable(text: str) -> str:
    """Cut a text to the length that fits into the status of a call."""
    text = _writable(text)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}... (cut; {len(text):,} characters)"


def _writable(text: str) -> str:
    r"""Return a text that can be written as UTF-8: half of a character becomes what it is in JSON, `\ud800`."""
    return text.encode("utf-8", "backslashreplace").decode()
