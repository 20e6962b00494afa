"""What reaches the user when something goes wrong: one clean sentence, and never what was being worked on."""

from collections.abc import Iterator
from datetime import datetime
from random import Random
from typing import Any, ClassVar

import pytest
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import provider_pb2 as pb

from postseal_core.errors import ConfigError, DeployError, Problem
from postseal_core.plugin.handler import Checked, CheckRequest, Context, Created, HandlerBase, PartialFailureError
from postseal_core.values import Properties
from tests.support.plugin_runs import PluginRuns, plugin_runs
from tests.support.provider import Resource, Secret
from tests.support.specimens import NOW

PASSPHRASE = "open sesame 1704"


class Brittle(HandlerBase):
    """Does as `mood` says: works, refuses, breaks, or stops halfway."""

    type_token: ClassVar[str] = "postseal:index:Brittle"
    secret_inputs: ClassVar[frozenset[str]] = frozenset({"passphrase"})
    secret_outputs: ClassVar[frozenset[str]] = frozenset({"passphrase"})

    def check(self, request: CheckRequest, context: Context) -> Checked:
        """Refuse in one of two ways, or take what is declared."""
        if request.new["mood"] == "refuses":
            raise ConfigError([Problem("mood", f"of {request.name} is bad"), Problem("", "all is wrong")])
        self._act(request.new, context)
        return Checked(dict(request.new))

    def create(self, inputs: Properties, context: Context, *, is_preview: bool) -> Created:
        """Make it."""
        if inputs["mood"] == "stops halfway":
            half = {"passphrase": PASSPHRASE, "status": "half-done: main.cf not written"}
            raise PartialFailureError("brittle", half, "main.cf was not written: make room and run `pulumi up` again")
        return Created("brittle", {**self._act(inputs, context), "status": "ok"})

    def update(
        self,
        id: str,  # noqa: A002
        old_outputs: Properties,
        inputs: Properties,
        context: Context,
        *,
        is_preview: bool,
    ) -> dict[str, Any]:
        """Make it anew."""
        return self.create(inputs, context, is_preview=is_preview).outputs

    def read(self, id: str, inputs: Properties, outputs: Properties, context: Context) -> tuple[Properties, Properties]:  # noqa: A002
        """Look at it."""
        self._act(inputs, context)
        return super().read(id, inputs, outputs, context)

    def delete(self, id: str, outputs: Properties, context: Context) -> None:  # noqa: A002
        """Break what is fragile, remove the rest."""
        self._act(outputs, context)
        super().delete(id, outputs, context)

    def _act(self, properties: Properties, context: Context) -> dict[str, Any]:
        if properties["mood"] == "breaks":
            raise ValueError(f"cannot use {properties['passphrase']}")
        if properties["mood"] == "cannot be sent":
            return {"mood": "cannot be sent", "passphrase": PASSPHRASE.encode()}
        if properties["mood"] == "cannot write":
            raise DeployError("tls/mx1.pem cannot be written: No space left on device")
        context.report(f"{context.now:%Y-%m-%d} {len(context.entropy(4))}")
        return dict(properties)


@pytest.fixture
def plugin(capfd: pytest.CaptureFixture[str]) -> Iterator[PluginRuns]:
    """Return the plugin with the brittle type only; its passphrase must come back wrapped or not at all."""
    with plugin_runs({Brittle.type_token: Brittle()}, Random("brittle").randbytes) as runs:
        runs.hidden.add(PASSPHRASE)
        yield runs
        assert runs.clear_secrets() == []
        assert PASSPHRASE not in "".join(capfd.readouterr())


@pytest.fixture
def brittle(plugin: PluginRuns) -> Resource:
    """Return a resource that does not exist yet."""
    return plugin.resource("Brittle", "x")


def declared(mood: str) -> dict[str, Any]:
    """Return the declaration of a brittle resource."""
    return {"mood": mood, "passphrase": Secret(PASSPHRASE)}


def test_handlers_get_the_clock_entropy_and_a_way_to_tell(plugin: PluginRuns, brittle: Resource) -> None:
    """One line per call reaches the user, with the clock and the entropy that the plugin was given."""
    plugin.now = datetime.fromisoformat("2026-06-01T12:00:00.987654+00:00")
    plugin.up(brittle, declared("works"))
    assert plugin.lines == [f"{NOW:%Y-%m-%d} 4"] * 4
    assert brittle.outputs["passphrase"] == Secret(PASSPHRASE)


def test_the_clock_of_a_handler_has_whole_seconds() -> None:
    """Stored instants have whole seconds: with fractions, a comparison could fall between the two."""
    seen = []

    class Watching(Brittle):
        def _act(self, properties: Properties, context: Context) -> dict[str, Any]:
            seen.append(context.now)
            return dict(properties)

    with plugin_runs({Brittle.type_token: Watching()}, Random("clock").randbytes) as runs:
        runs.now = NOW.replace(microsecond=987_654)
        runs.resource("Brittle", "x").check(declared("works"))
    assert seen == [NOW]


def test_every_problem_of_a_refused_declaration_reaches_the_user(plugin: PluginRuns, brittle: Resource) -> None:
    """Problems that a handler raises are shown as those that it returns; a plain passphrase is not sent back."""
    careless = {"mood": "refuses", "passphrase": PASSPHRASE}
    assert plugin.problems(brittle, careless) == ["mood: of x is bad", "all is wrong"]


def test_a_known_error_is_its_own_sentence(plugin: PluginRuns, brittle: Resource) -> None:
    """What the project raises on purpose is fit to be read as it is."""
    sentence = plugin.refusal(brittle.check, declared("cannot write"))
    assert sentence == "tls/mx1.pem cannot be written: No space left on device"


@pytest.mark.parametrize("step", ["check", "create", "update", "refresh", "delete"])
def test_an_internal_error_says_where_and_never_what(
    plugin: PluginRuns, brittle: Resource, capfd: pytest.CaptureFixture[str], step: str
) -> None:
    """The text of an unforeseen exception may quote a secret: kind and place are shown, on the log as well."""
    if step in ("update", "refresh", "delete"):
        plugin.up(brittle, declared("works"))
    brittle.inputs |= {"mood": "breaks"}
    brittle.outputs |= {"mood": "breaks"}
    steps = {
        "check": lambda: brittle.check(declared("breaks")),
        "create": lambda: brittle.apply(declared("breaks")),
        "update": lambda: brittle.apply(declared("breaks")),
        "refresh": brittle.refresh,
        "delete": brittle.delete,
    }
    sentence = plugin.refusal(steps[step])
    assert sentence.startswith("internal error in postseal (ValueError in _act, line ")
    assert sentence.endswith(" of test_plugin_errors.py); this is a bug. `pulumi preview` shows what is left to do")
    printed = capfd.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("postseal: internal error ValueError in _act, line ")
    assert PASSPHRASE not in printed.err
    assert "Traceback" not in printed.err


def test_a_value_that_cannot_be_sent_is_an_internal_error_without_the_value(
    plugin: PluginRuns, brittle: Resource
) -> None:
    """A handler's mistake does not show what it tried to send."""
    assert plugin.refusal(brittle.apply, declared("cannot be sent")).startswith("internal error in postseal (TypeError")


@pytest.mark.parametrize("is_new", [True, False])
def test_what_stopped_halfway_is_stored_as_far_as_it_came(
    plugin: PluginRuns, brittle: Resource, *, is_new: bool
) -> None:
    """The engine gets the outputs that hold now, secrets wrapped, with the reason; the next diff shows what is left."""
    if not is_new:
        plugin.up(brittle, declared("works"))
    sentence = plugin.refusal(brittle.apply, declared("stops halfway"))
    assert sentence == "main.cf was not written: make room and run `pulumi up` again"
    half = plugin.answers[-1]
    assert isinstance(half, pb.ErrorResourceInitFailed)
    assert (half.id, list(half.reasons)) == ("brittle", [sentence])
    assert half.properties.fields["status"].string_value == "half-done: main.cf not written"
    brittle.id, brittle.inputs = half.id, declared("works")
    brittle.outputs = {"status": half.properties.fields["status"].string_value, "passphrase": Secret(PASSPHRASE)}
    assert brittle.diff(declared("works")) == {"status": "update"}
    plugin.up(brittle, declared("works"))
    assert plugin.up(brittle, declared("works")) == {}


def test_a_type_that_is_not_ours_is_named_with_those_that_are(plugin: PluginRuns) -> None:
    """A program of another version may ask for what this plugin does not have."""
    foreign = plugin.resource("Postcard", "x")
    for step in (lambda: foreign.check({}), lambda: foreign.apply({}), foreign.refresh, foreign.delete):
        sentence = plugin.refusal(step)
        assert sentence == ("this plugin has no resource type postseal:index:Postcard; it has: postseal:index:Brittle")


def test_a_type_is_found_below_its_component(plugin: PluginRuns) -> None:
    """The name of a resource in a component starts with the types above it."""
    nested = Resource(plugin.provider.stub, "urn:pulumi:test::project::postseal:index:Box$postseal:index:Brittle::a::b")
    assert plugin.problems(nested, declared("refuses"))[0] == "mood: of b is bad"


def test_what_the_state_does_not_know_cannot_be_imported(plugin: PluginRuns) -> None:
    """An import would store a resource without its inputs: it is refused, and the sentence says what to do."""
    request = pb.ReadRequest(urn="urn:pulumi:test::project::postseal:index:Brittle::x", id="x", properties=Struct())
    sentence = plugin.refusal(plugin.provider.stub.Read, request)
    assert sentence.startswith("postseal:index:Brittle cannot be imported")
