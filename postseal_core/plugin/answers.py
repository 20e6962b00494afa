"""Answers to the engine: differences, failed checks, and errors without traceback."""

import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import grpc
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import provider_pb2 as pb

from postseal_core.errors import PostsealError, Problem
from postseal_core.plugin.codec import from_struct
from postseal_core.plugin.diff import Change, member_of
from postseal_core.values import value_at
from postseal_core.wording import shown

__all__ = ["check_failures", "clean_errors", "diff_response"]

_LONGEST: Final = 2000
"""gRPC takes 8 KiB for all that goes along with a status."""

_A_SECRET: Final = "a secret"  # noqa: S105  # what is said in its place
_SHORTEST_SECRET: Final = 4
"""A shorter one is left out where it is quoted only: as a part of words it would be everywhere."""

_DIFF_KINDS = {
    Change.ADD: pb.PropertyDiff.ADD,
    Change.DELETE: pb.PropertyDiff.DELETE,
    Change.UPDATE: pb.PropertyDiff.UPDATE,
}


@contextmanager
def clean_errors(context: grpc.ServicerContext, request: Message) -> Iterator[None]:
    """Turn exceptions into a status with one clean sentence; `abort` raises, so nothing after it runs.

    No text that is a secret in `request` is in the sentence.
    """
    try:
        yield
    except PostsealError as error:
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, _sayable(_without_secrets(str(error), request)))
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


def check_failures(problems: Iterable[Problem], request: Message) -> list[pb.CheckFailure]:
    """Return the failures of a Check, one for each problem; none quotes what is a secret in `request`."""
    # The engine would print `property NAME value {<nil>}` before the sentence; the path inside it reads better.
    return [pb.CheckFailure(reason=_writable(_without_secrets(str(problem), request))) for problem in problems]


def _without_secrets(text: str, request: Message) -> str:
    """Return a text without the texts that are secrets: a passphrase may stand where a profile is expected."""
    for secret in sorted(_secret_texts(request), key=len, reverse=True):
        for form in (shown(secret), repr(secret), *([secret] if len(secret) >= _SHORTEST_SECRET else [])):
            text = text.replace(form, _A_SECRET)
    return text


def _secret_texts(request: Message) -> set[str]:
    structs = [from_struct(value) for _, value in request.ListFields() if isinstance(value, Struct)]
    values = (value_at(each.properties, path) for each in structs for path in each.secret_paths)
    return {text for value in values for text in _texts(value) if text}


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(part)


def _sayable(text: str) -> str:
    """Cut a text to the length that fits into the status of a call."""
    text = _writable(text)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}... (cut; {len(text):,} characters)"


def _writable(text: str) -> str:
    r"""Return a text that can be written as UTF-8: half of a character becomes what it is in JSON, `\ud800`."""
    return text.encode("utf-8", "backslashreplace").decode()
