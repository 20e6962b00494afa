"""A roster of ten thousand clients is one message, in either direction."""

from dataclasses import dataclass
from typing import ClassVar

from postseal_core.plugin.handler import CheckRequest, Context, HandlerBase
from postseal_core.plugin.server import _MAX_MESSAGE_BYTES
from tests.support.provider import provider

FAR_OVER_THE_DEFAULT = 5 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text, and what it is repeated by."""

    text: str
    times: int = 1


class RepeatsHandler(HandlerBase[Text, Text, Text]):
    """Gives the text back, so many times."""

    type_tokens: ClassVar[tuple[str, ...]] = ("postseal:index:Repeats",)
    args = Text
    inputs = Text
    state = Text

    def check(self, request: CheckRequest[Text, Text], context: Context) -> Text:
        """Repeat."""
        return Text(text=request.new.text * request.new.times)

    def id_of(self, inputs: Text) -> str:
        """Return a name."""
        return "one"

    def create(self, inputs: Text, context: Context, *, is_preview: bool) -> Text:
        """Return what came in."""
        return inputs

    def update(self, old: Text, inputs: Text, context: Context, *, is_preview: bool) -> Text:
        """Return what came in."""
        return inputs


def test_messages_far_over_the_default_of_grpc_come_and_go() -> None:
    """The default is 4 MiB; it would be met by a stack of some thousand clients."""
    with provider([RepeatsHandler()]) as running:
        resource = running.resource("postseal:index:Repeats", "one")
        assert len(resource.check({"text": "x", "times": FAR_OVER_THE_DEFAULT})["text"]) == FAR_OVER_THE_DEFAULT
        assert len(resource.check({"text": "x" * FAR_OVER_THE_DEFAULT})["text"]) == FAR_OVER_THE_DEFAULT


def test_the_largest_message_has_a_gibibyte() -> None:
    """Sixty times what 10,000 clients need; the engine's own limit is 400 MiB."""
    assert _MAX_MESSAGE_BYTES == 2**30
