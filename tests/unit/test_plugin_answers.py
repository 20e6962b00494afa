"""Errors on their way to the engine: ours are their own sentence, all others say only where, and gRPC's own pass."""

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty

from postseal_core.errors import DeployError
from postseal_core.plugin.answers import clean_errors


class Aborted:
    """A call's context, which unwinds as gRPC does: with an exception that has nothing to say."""

    def __init__(self) -> None:
        self.statuses: list[tuple[grpc.StatusCode, str]] = []

    def abort(self, code: grpc.StatusCode, details: str) -> None:
        """Note the status and unwind."""
        self.statuses.append((code, details))
        raise Exception  # noqa: TRY002  # what grpc raises


def statuses_of(error: Exception) -> list[tuple[grpc.StatusCode, str]]:
    """Return what the engine is answered where this error is raised."""
    context = Aborted()
    with pytest.raises(Exception) as caught, clean_errors(context, Empty()):  # type: ignore[arg-type]  # noqa: PT011  # as above
        raise error
    assert type(caught.value) is Exception
    return context.statuses


@pytest.mark.parametrize("error", [ValueError("hush"), KeyError(), Exception("hush"), RuntimeError()], ids=repr)
def test_an_unforeseen_error_says_its_kind_whether_it_has_a_text_or_not(error: Exception) -> None:
    """None of them is taken for gRPC's own, after which the engine would be told nothing."""
    ((code, details),) = statuses_of(error)
    assert code is grpc.StatusCode.INTERNAL
    assert f"({type(error).__name__} in statuses_of, line " in details
    assert "hush" not in details


def test_an_error_of_ours_is_its_sentence() -> None:
    """Word for word."""
    assert statuses_of(DeployError("the disk is full")) == [
        (grpc.StatusCode.FAILED_PRECONDITION, "the disk is full"),
    ]


def test_what_was_answered_is_not_answered_again() -> None:
    """An abort further inside passes as it is."""
    context = Aborted()
    with pytest.raises(Exception), clean_errors(context, Empty()):  # type: ignore[arg-type]  # noqa: B017, PT011
        context.abort(grpc.StatusCode.NOT_FOUND, "gone")
    assert context.statuses == [(grpc.StatusCode.NOT_FOUND, "gone")]
