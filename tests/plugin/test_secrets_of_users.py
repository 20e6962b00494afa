"""What a user marked as a secret stays one, wherever it stands in a declaration, and nothing else becomes one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from postseal_core.plugin.handler import CheckRequest, Context, HandlerBase
from tests.support.plugin_runs import PluginRuns, plugin_runs
from tests.support.provider import Resource, Secret
from tests.support.resource_properties import issued_by, root, server

Step = str | int


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    """A record that is deepest inside."""

    text: str = ""
    texts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A record inside of another one, and with others inside."""

    text: str = ""
    texts: tuple[str, ...] = ()
    parts: tuple[Inner, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A declaration with every kind of place; nothing in it is a secret by itself."""

    name: str
    count: int = 0
    is_on: bool = False
    texts: tuple[str, ...] = ()
    named: Mapping[str, str] = field(default_factory=dict)
    part: Part | None = None
    parts: Mapping[str, Part] = field(default_factory=dict)


class StoresHandler(HandlerBase[Whole, Whole, Whole]):
    """Takes a declaration as it is."""

    type_tokens: ClassVar[tuple[str, ...]] = ("postseal:index:Stores",)
    args = Whole
    inputs = Whole
    state = Whole

    def check(self, request: CheckRequest[Whole, Whole], context: Context) -> Whole:
        """Take what is declared."""
        del context
        return request.new

    def id_of(self, inputs: Whole) -> str:
        """Return a name."""
        return "one"

    def create(self, inputs: Whole, context: Context, *, is_preview: bool) -> Whole:
        """Make nothing of it."""
        return Whole(name="made")

    def update(self, old: Whole, inputs: Whole, context: Context, *, is_preview: bool) -> Whole:
        """As when it was made."""
        return old


DECLARED: dict[str, Any] = {
    "name": "name one",
    "count": 7,
    "is_on": True,
    "texts": ["text one", "text two"],
    "named": {"a": "named one", "b.c": "named two"},
    "part": {"text": "part one", "texts": ["part two"], "parts": [{"text": "part three", "texts": ["part four"]}]},
    "parts": {"x": {"text": "parts one", "parts": [{"text": "parts two"}, {"text": "parts three"}]}},
}


def places_of(value: object, path: tuple[Step, ...] = ()) -> Iterator[tuple[Step, ...]]:
    """Yield the place of every value, also of those that hold others."""
    if path:
        yield path
    members: Sequence[tuple[Step, object]] = ()
    if isinstance(value, dict):
        members = list(value.items())
    elif isinstance(value, list):
        members = list(enumerate(value))
    for step, member in members:
        yield from places_of(member, (*path, step))


def hidden_at(value: Any, places: set[tuple[Step, ...]], path: tuple[Step, ...] = ()) -> Any:
    """Return a value with each of these places wrapped."""
    if isinstance(value, dict):
        value = {name: hidden_at(member, places, (*path, name)) for name, member in value.items()}
    elif isinstance(value, list):
        value = [hidden_at(item, places, (*path, index)) for index, item in enumerate(value)]
    return Secret(value) if path in places else value


PLACES = sorted(places_of(DECLARED), key=str)


@pytest.fixture
def stored() -> Iterator[Resource]:
    """Return a resource whose inputs are what is declared."""
    with plugin_runs([StoresHandler()], Random("postseal").randbytes) as runs:
        yield runs.resource("Stores", "one")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(places=st.sets(st.sampled_from(PLACES), max_size=4))
def test_a_secret_of_a_user_is_one_after_check_and_after_a_refresh(
    stored: Resource, places: set[tuple[Step, ...]]
) -> None:
    """Exactly where it was marked: on a text, a number, an item, a member, or on all that a place holds."""
    declared = hidden_at(DECLARED, places)
    stored.id, stored.inputs, stored.outputs = "", {}, {}
    assert stored.check(declared) == declared
    stored.up(declared)
    stored.outputs |= {name: value for name, value in declared.items() if name != "name"}
    kept = dict(stored.outputs)
    stored.refresh()
    assert stored.inputs == declared
    assert stored.outputs == kept


@pytest.mark.parametrize("place", PLACES, ids=lambda place: ".".join(map(str, place)))
def test_a_secret_stays_one_at_every_place(stored: Resource, place: tuple[Step, ...]) -> None:
    """One at a time, and it is still one when only something else changes."""
    declared = hidden_at(DECLARED, {place})
    stored.up(declared)
    assert stored.inputs == declared
    if place != ("count",):
        stored.up(declared | {"count": 8})
        assert stored.inputs == declared | {"count": 8}


@pytest.mark.parametrize(
    ("changes", "hidden"),
    [
        ({"dns_names": ["mx1.example.org", Secret("hidden.example.org")]}, "hidden.example.org"),
        ({"ip_addresses": Secret(["192.0.2.77"])}, "192.0.2.77"),
        ({"renew_fraction": Secret("7/9")}, "7/9"),
    ],
    ids=["an item", "a list", "a number"],
)
def test_a_certificate_keeps_the_secrets_of_its_user(plugin: PluginRuns, changes: dict[str, Any], hidden: str) -> None:
    """In its inputs and in what it reports, over a preview, an update and a refresh.

    The subject is no secret: it stands in the certificate, which every peer is shown.
    """
    authority = plugin.resource("Certificate", "mail-ca")
    plugin.up(authority, root())
    plugin.hidden.add(hidden)
    declared = server(issued_by(authority.outputs)) | changes
    leaf = plugin.resource("ServerCertificate", "mx1")
    plugin.up(leaf, declared)
    for name, value in changes.items():
        assert leaf.inputs[name] == value
    leaf.refresh()
    assert plugin.up(leaf, declared) == {}
