"""What reaches the user when something goes wrong: one clean sentence, and never what was being worked on."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from random import Random
from typing import Annotated, Any, ClassVar

import pytest
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import provider_pb2 as pb

from postseal_core.errors import ConfigError, DeployError, Problem
from postseal_core.plugin.handler import CheckRequest, Context, HandlerBase
from postseal_core.plugin.lockers import Lockers
from postseal_core.plugin.material import MaterialStore
from postseal_core.records import SECRET
from postseal_core.values import MUST_BE_KNOWN, Maybe
from tests.support.plugin_runs import PluginRuns, plugin_runs
from tests.support.provider import UNKNOWN, Resource, Secret
from tests.support.specimens import NOW

PASSPHRASE = "open sesame 1704"
TOKEN = "postseal:index:Brittle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Brittle:
    """What is declared, stored and made: `mood` says what happens, `size` may be known late."""

    mood: str
    passphrase: Annotated[str, SECRET] = field(repr=False)
    count: int = 1
    size: Maybe[int] = 0
    names: tuple[str, ...] = ()


class BrittleHandler(HandlerBase[Brittle, Brittle, Brittle]):
    """Does as `mood` says: works, refuses or breaks."""

    type_tokens: ClassVar[tuple[str, ...]] = (TOKEN,)
    args = Brittle
    inputs = Brittle
    state = Brittle

    def check(self, request: CheckRequest[Brittle, Brittle], context: Context) -> Brittle:
        """Refuse, or take what is declared."""
        if request.new.mood == "refuses":
            name = context.urn.rpartition("::")[2]
            raise ConfigError([Problem("mood", f"of {name} is bad"), Problem("", "all is wrong")])
        return self._act(request.new, context)

    def id_of(self, inputs: Brittle) -> str:
        """Return a name."""
        return "brittle"

    def create(self, inputs: Brittle, context: Context, *, is_preview: bool) -> Brittle:
        """Make it."""
        return self._act(inputs, context)

    def update(self, old: Brittle, inputs: Brittle, context: Context, *, is_preview: bool) -> Brittle:
        """Make it anew."""
        return self._act(inputs, context)

    def read(self, inputs: Brittle, state: Brittle, context: Context) -> tuple[Brittle, Brittle]:
        """Look at it."""
        self._act(inputs, context)
        return super().read(inputs, state, context)

    def delete(self, state: Brittle, context: Context) -> None:
        """Break what is fragile, remove the rest."""
        self._act(state, context)
        super().delete(state, context)

    def _act(self, brittle: Brittle, context: Context) -> Brittle:
        if brittle.mood == "breaks":
            raise ValueError(f"cannot use {brittle.passphrase}")
        if brittle.mood == "cannot be sent":
            unsendable: Any = PASSPHRASE.encode()
            return replace(brittle, passphrase=unsendable)
        if brittle.mood == "cannot write":
            raise DeployError("tls/mx1.pem cannot be written: No space left on device")
        context.report(f"{context.now:%Y-%m-%d} {len(context.entropy(4))}")
        return brittle


@pytest.fixture
def plugin(capfd: pytest.CaptureFixture[str]) -> Iterator[PluginRuns]:
    """Return the plugin with the brittle type only; its passphrase must come back wrapped or not at all."""
    with plugin_runs([BrittleHandler()], Random("brittle").randbytes) as runs:
        runs.hidden.add(PASSPHRASE)
        yield runs
        assert runs.clear_secrets() == []
        assert PASSPHRASE not in "".join(capfd.readouterr())


@pytest.fixture
def brittle(plugin: PluginRuns) -> Resource:
    """Return a resource that does not exist yet."""
    return plugin.resource("Brittle", "x")


def declared(mood: str, **changes: Any) -> dict[str, Any]:
    """Return the declaration of a brittle resource."""
    return {"mood": mood, "passphrase": Secret(PASSPHRASE)} | changes


def steps(resource: Resource, news: dict[str, Any]) -> dict[str, Callable[[], object]]:
    """Return what the engine asks of a resource, by name; `news` is declared."""
    return {
        "check": lambda: resource.check(news),
        "diff": lambda: resource.diff(news),
        "create": lambda: resource.apply(news),
        "update": lambda: resource.apply(news),
        "refresh": resource.refresh,
        "delete": resource.delete,
    }


def test_handlers_get_the_clock_entropy_and_a_way_to_tell(plugin: PluginRuns, brittle: Resource) -> None:
    """One line per call reaches the user, with the clock and the entropy that the plugin was given."""
    plugin.now = datetime.fromisoformat("2026-06-01T12:00:00.987654+00:00")
    plugin.up(brittle, declared("works"))
    assert plugin.lines == [f"{NOW:%Y-%m-%d} 4"] * 4
    assert brittle.outputs["passphrase"] == Secret(PASSPHRASE)


def test_the_clock_of_a_handler_has_whole_seconds() -> None:
    """Stored instants have whole seconds: with fractions, a comparison could fall between the two."""
    seen = []

    class Watching(BrittleHandler):
        def _act(self, brittle: Brittle, context: Context) -> Brittle:
            seen.append(context.now)
            return brittle

    with plugin_runs([Watching()], Random("clock").randbytes) as runs:
        runs.now = NOW.replace(microsecond=987_654)
        runs.resource("Brittle", "x").check(declared("works"))
    assert seen == [NOW]


def test_what_cannot_be_written_as_utf_8_is_told_as_json_writes_it(
    plugin: PluginRuns, brittle: Resource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of a character may come out of a text that the engine could carry."""

    def refuse(*_: object) -> Brittle:
        raise ConfigError([Problem("a\ud800", "is bad")])

    monkeypatch.setattr(BrittleHandler, "check", refuse)
    assert plugin.problems(brittle, declared("works")) == ["a\\ud800: is bad"]


def test_every_problem_of_a_refused_declaration_reaches_the_user(plugin: PluginRuns, brittle: Resource) -> None:
    """Each is a failure of its own; a plain passphrase is not sent back."""
    careless = {"mood": "refuses", "passphrase": PASSPHRASE}
    assert plugin.problems(brittle, careless) == ["mood: of x is bad", "all is wrong"]


@pytest.mark.parametrize(
    ("news", "problems"),
    [
        ({}, ["mood: missing; add it", "passphrase: missing; add it"]),
        (declared("works", count="5"), ["count: got a text, expected a whole number"]),
        (declared("works", count=UNKNOWN), [f"count: {MUST_BE_KNOWN}"]),
        (declared("works", names="c.example.org"), ["names: got a text, expected a list"]),
        (declared("works", names=["a", UNKNOWN]), [f"names[1]: {MUST_BE_KNOWN}"]),
        (declared("works", count=2**60), ["count: got a number that is not whole, or too large, expected a whole"]),
        (declared("works", moood="x"), ["moood: unknown key; did you mean mood?"]),
        ({"mood": 5, "passphrase": {"a": PASSPHRASE}}, ["mood: got a whole number", "passphrase: got a mapping"]),
        ({"mood": [PASSPHRASE], "passphrase": 1704}, ["mood: got a list", "passphrase: got a whole number"]),
    ],
)
@pytest.mark.parametrize("is_new", [True, False])
def test_what_a_program_writes_wrongly_is_a_problem_of_its_declaration(
    plugin: PluginRuns, brittle: Resource, news: dict[str, Any], problems: list[str], *, is_new: bool
) -> None:
    """Wrong types, unknown values, unknown and missing names: each with its place, and the handler is not asked."""
    if not is_new:
        plugin.up(brittle, declared("works"))
        plugin.lines.clear()
    found = plugin.problems(brittle, news)
    assert len(found) == len(problems)
    assert all(each.startswith(expected) for each, expected in zip(found, problems, strict=True))
    assert plugin.lines == []


def test_what_may_be_known_late_passes(plugin: PluginRuns, brittle: Resource) -> None:
    """In a preview, an unknown value goes through all steps."""
    changes, planned = plugin.preview(brittle, declared("works", size=UNKNOWN))
    assert changes == {"": "create"}
    assert planned["size"] == UNKNOWN
    plugin.up(brittle, declared("works", size=5))
    assert plugin.preview(brittle, declared("works", size=UNKNOWN))[0] == {"size": "update"}


def test_a_known_error_is_its_own_sentence(plugin: PluginRuns, brittle: Resource) -> None:
    """What the project raises on purpose is fit to be read as it is."""
    sentence = plugin.refusal(brittle.check, declared("cannot write"))
    assert sentence == "tls/mx1.pem cannot be written: No space left on device"


@pytest.mark.parametrize("step", ["check", "create", "update", "refresh", "delete"])
def test_an_internal_error_says_where_and_never_what(
    plugin: PluginRuns,
    brittle: Resource,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    step: str,
) -> None:
    """The text of an unforeseen exception may quote a secret: kind and place are shown, on the log as well."""
    monkeypatch.setattr(Lockers, "open", lambda _self, _holder: MaterialStore())
    if step in ("update", "refresh", "delete"):
        plugin.up(brittle, declared("works"))
        brittle.inputs |= {"mood": "breaks"}
        brittle.outputs |= {"mood": "breaks"}
    sentence = plugin.refusal(steps(brittle, declared("breaks"))[step])
    assert sentence.startswith("internal error in postseal (ValueError in _act, line ")
    assert sentence.endswith(" of test_plugin_errors.py); this is a bug. `pulumi preview` shows what is left to do")
    printed = capfd.readouterr()
    assert printed.out == ""
    assert "postseal: internal error ValueError in _act, line " in printed.err
    assert PASSPHRASE not in printed.err
    assert "Traceback" not in printed.err


@pytest.mark.parametrize(
    "damage",
    [
        {"count": "one"},
        {"colour": "red"},
        {"mood": None},
        {"record_version": 2},
        {"record_version": "2" * 100_000},
        {"x" * 100_000: 1},
    ],
    ids=["a type", "a name", "nothing", "a version", "a long version", "a long name"],
)
@pytest.mark.parametrize(
    ("step", "is_of_inputs"),
    [
        ("check", True),
        ("diff", True),
        ("diff", False),
        ("update", False),
        ("refresh", True),
        ("refresh", False),
        ("delete", False),
    ],
)
def test_a_state_that_cannot_be_read_is_one_sentence(
    plugin: PluginRuns, brittle: Resource, damage: dict[str, Any], step: str, *, is_of_inputs: bool
) -> None:
    """Whether edited by hand or written by a newer plugin: nothing is done, and nobody is told of a bug."""
    plugin.up(brittle, declared("works"))
    plugin.lines.clear()
    (brittle.inputs if is_of_inputs else brittle.outputs).update(damage)
    sentence = plugin.refusal(steps(brittle, declared("works"))[step])
    assert "Brittle" in sentence
    assert "\n" not in sentence
    assert "internal error" not in sentence
    assert plugin.lines == []


def test_a_value_that_cannot_be_sent_is_an_internal_error_without_the_value(
    plugin: PluginRuns, brittle: Resource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A handler's mistake does not show what it tried to send."""
    monkeypatch.setattr(Lockers, "open", lambda _self, _holder: MaterialStore())
    assert plugin.refusal(brittle.apply, declared("cannot be sent")).startswith("internal error in postseal (TypeError")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Newer:
    """A record whose older states say `hours` instead of `days`."""

    UPGRADES: ClassVar[tuple[Callable[[Any], dict[str, Any]], ...]] = (
        lambda old: {name: value for name, value in old.items() if name != "hours"} | {"days": old["hours"] // 24},
    )

    mood: str
    passphrase: Annotated[str, SECRET] = field(repr=False)
    days: int = 1


def test_an_older_state_plans_no_change_and_is_read_by_every_step(plugin: PluginRuns, brittle: Resource) -> None:
    """A newer plugin compares what it would write itself, and writes its own version with the next change."""

    class NewerHandler(BrittleHandler):
        args: Any = Newer
        inputs: Any = Newer
        state: Any = Newer

    with plugin_runs([NewerHandler()], Random("newer").randbytes) as runs:
        resource = runs.resource("Brittle", "x")
        older = {"mood": "works", "passphrase": Secret(PASSPHRASE), "hours": 48}
        resource.id, resource.inputs, resource.outputs = "brittle", dict(older), dict(older)
        assert runs.up(resource, declared("works", days=2)) == {}
        assert runs.up(resource, declared("works", days=3)) == {"days": "update"}
        assert resource.outputs == declared("works", days=3, record_version=2)
        resource.outputs = dict(older)
        resource.refresh()
        assert resource.outputs == declared("works", days=2, record_version=2)
        resource.outputs = dict(older)
        resource.delete()
