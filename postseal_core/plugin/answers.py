"""What the engine is told: differences, failed checks, and errors as one clean sentence."""

import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import grpc
from google.protobuf import any_pb2
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import provider_pb2 as pb
from pulumi.runtime.proto import status_pb2

from postseal_core.errors import PostsealError, Problem
from postseal_core.plugin.diff import Change
from postseal_core.plugin.handler import PartialFailureError

__all__ = ["check_failures", "clean_errors", "diff_response"]

_DIFF_KINDS = {
    Change.ADD: pb.PropertyDiff.ADD,
    Change.DELETE: pb.PropertyDiff.DELETE,
    Change.UPDATE: pb.PropertyDiff.UPDATE,
}


@contextmanager
def clean_errors(
    context: grpc.ServicerContext, encode_outputs: Callable[[Mapping[str, Any]], Struct] | None = None
) -> Iterator[None]:
    """Turn exceptions into a status with one clean sentence; `abort` raises, so nothing after it runs.

    `encode_outputs`: how the outputs of a step that was half done are put on the wire.
    """
    try:
        yield
    except PartialFailureError as failure:
        _abort_half_done(context, failure, encode_outputs)
    except PostsealError as error:
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
    except Exception as error:
        if _is_abort(error):
            raise
        context.abort(grpc.StatusCode.INTERNAL, _internal_error(error))


def diff_response(changes: Mapping[str, Change], *, is_half_done: bool = False) -> pb.DiffResponse:
    """Return the answer to Diff; nothing is ever replaced."""
    details = {path: pb.PropertyDiff(kind=_DIFF_KINDS[change], inputDiff=True) for path, change in changes.items()}
    if is_half_done:
        details["status"] = pb.PropertyDiff(kind=pb.PropertyDiff.UPDATE, inputDiff=False)
    return pb.DiffResponse(
        changes=pb.DiffResponse.DIFF_SOME if details else pb.DiffResponse.DIFF_NONE,
        diffs=sorted({path.split(".")[0].split("[")[0] for path in details}),
        detailedDiff=details,
        hasDetailedDiff=True,
    )


def _abort_half_done(
    context: grpc.ServicerContext,
    failure: PartialFailureError,
    encode_outputs: Callable[[Mapping[str, Any]], Struct] | None,
) -> None:
    properties = encode_outputs(failure.outputs) if encode_outputs else Struct()
    detail = any_pb2.Any()
    detail.Pack(pb.ErrorResourceInitFailed(id=failure.id, properties=properties, reasons=[failure.reason]))
    code = grpc.StatusCode.UNKNOWN
    status = status_pb2.Status(code=code.value[0], message=failure.reason, details=[detail])
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(code, failure.reason)


def _is_abort(error: Exception) -> bool:
    """Grpc's abort raises a bare Exception to unwind; it must pass through."""
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
    return [pb.CheckFailure(reason=str(problem)) for problem in problems]
