"""Errors on their way to the engine: ours are their own sentence, all others say only where, and gRPC's own pass."""

from typing import Any

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import Message
from pulumi.runtime.proto import provider_pb2 as pb

from postseal_core.errors import DeployError, Problem
from postseal_core.plugin.answers import check_failures, clean_errors, diff_response
from postseal_core.plugin.codec import to_struct
from postseal_core.plugin.diff import Change


class Aborted:
    """A call's context, which unwinds as gRPC does: with an exception that has nothing to say."""

    def __init__(self) -> None:
        self.statuses: list[tuple[grpc.StatusCode, str]] = []

    def abort(self, code: grpc.StatusCode, details: str) -> None:
        """Note the status and unwind."""
        self.statuses.append((code, details))
        raise Exception  # noqa: TRY002  # what grpc raises


def statuses_of(error: Exception, request: Message | None = None) -> list[tuple[grpc.StatusCode, str]]:
    """Return what the engine is answered where this error is raised."""
    context = Aborted()
    with pytest.raises(Exception) as caught, clean_errors(context, request or Empty()):  # type: ignore[arg-type]  # noqa: PT011  # as above
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


def test_an_unforeseen_error_is_told_with_the_innermost_place_and_the_file_alone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Not that of whoever called it; and no directory, which would be that of a user."""
    context = Aborted()

    scope: dict[str, Any] = {}
    exec(compile("def innermost():\n    raise ValueError\n", "/home/me/checkout/elsewhere.py", "exec"), scope)  # noqa: S102  # so that its file is another one

    def middle() -> None:
        scope["innermost"]()

    with pytest.raises(Exception), clean_errors(context, Empty()):  # type: ignore[arg-type]  # noqa: B017, PT011
        middle()
    where = "ValueError in innermost, line 2 of elsewhere.py"
    assert context.statuses == [
        (
            grpc.StatusCode.INTERNAL,
            f"internal error in postseal ({where}); this is a bug. `pulumi preview` shows what is left to do",
        )
    ]
    assert capsys.readouterr().err == f"postseal: internal error {where}\n"


@pytest.mark.parametrize("length", [1, 1999, 2000])
def test_a_sentence_of_2000_characters_is_said_whole(length: int) -> None:
    """A status has room for it, in whatever script."""
    assert statuses_of(DeployError("\u20ac" * length)) == [(grpc.StatusCode.FAILED_PRECONDITION, "\u20ac" * length)]


@pytest.mark.parametrize(("length", "words"), [(2001, "2,001"), (12_345, "12,345")])
def test_a_longer_one_is_cut_and_says_how_long_it_is(length: int, words: str) -> None:
    """Otherwise gRPC would say nothing at all."""
    ((_, said),) = statuses_of(DeployError("x" * length))
    assert said == f"{'x' * 2000}... (cut; {words} characters)"


def _request(**secrets: Any) -> pb.CheckRequest:
    return pb.CheckRequest(news=to_struct({**secrets, "name": "alice"}, [(name,) for name in secrets]))


@pytest.mark.parametrize(
    ("secret", "text", "said"),
    [
        ("hush", "got hush here", "got a secret here"),
        ("hush", "got 'hush' here", "got a secret here"),
        ("hush", "got hushed", "got a secreted"),
        ("hus", "got 'hus' here", "got a secret here"),
        ("hus", "got hus here, hushed", "got hus here, hushed"),
        ("a\nb", "got 'a\\nb' here", "got a secret here"),
        ("", "got '' here", "got '' here"),
        ({"deep": ["hush", {"deeper": "hush hush"}]}, "got hush hush and hush", "got a secret and a secret"),
        (7, "got 7", "got 7"),
    ],
)
def test_no_text_that_is_a_secret_is_said(secret: object, text: str, said: str) -> None:
    """A short one is left out where it is quoted: as a part of words it would be everywhere. The longest goes first."""
    request = _request(passphrase=secret)
    assert statuses_of(DeployError(text), request) == [(grpc.StatusCode.FAILED_PRECONDITION, said)]
    (failure,) = check_failures([Problem("", text)], request)
    assert failure.reason == said
    assert failure.property == ""


def test_what_is_no_secret_is_said() -> None:
    """The control: the name stands in the same request."""
    assert statuses_of(DeployError("alice and hush"), _request(passphrase="hush")) == [
        (grpc.StatusCode.FAILED_PRECONDITION, "alice and a secret")
    ]


def test_half_a_character_is_written_as_in_json() -> None:
    """It could not be sent otherwise."""
    ((_, said),) = statuses_of(DeployError("got \ud800"))
    assert said == r"got \ud800"


def test_changes_are_told_leaf_by_leaf_and_by_the_members_that_they_are_in() -> None:
    """Of inputs, each of its kind; nothing is replaced, and a member with two changes is named once."""
    changes = {"rows.b": Change.UPDATE, "rows.a": Change.ADD, 'main_cf["a.b"]': Change.DELETE}
    answer = diff_response(changes)
    assert answer.changes == pb.DiffResponse.DIFF_SOME
    assert [*answer.diffs] == ["main_cf", "rows"]
    assert answer.hasDetailedDiff
    assert [*answer.replaces] == []
    assert {path: (each.kind, each.inputDiff) for path, each in answer.detailedDiff.items()} == {
        "rows.a": (pb.PropertyDiff.ADD, True),
        "rows.b": (pb.PropertyDiff.UPDATE, True),
        'main_cf["a.b"]': (pb.PropertyDiff.DELETE, True),
    }
    nothing = diff_response({})
    assert nothing.changes == pb.DiffResponse.DIFF_NONE
    assert nothing.hasDetailedDiff
    assert not nothing.detailedDiff
