"""What the plugin remembers during a run."""

from collections.abc import Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier

import pytest

from postseal_core.plugin.memory import Memory


@dataclass(frozen=True)
class Key:
    """One type of value."""

    text: str


@dataclass(frozen=True)
class Chain:
    """Another."""

    text: str


def test_values_of_two_types_have_keys_of_their_own() -> None:
    """What one module remembers never stands in for what another one does."""
    memory = Memory()
    memory.put(Key, "mail-ca", Key("a key"))
    memory.put(Chain, "mail-ca", Chain("a chain"))
    assert memory.get(Key, "mail-ca") == Key("a key")
    assert memory.get(Chain, "mail-ca") == Chain("a chain")
    assert memory.get(str, "mail-ca") is None
    assert memory.get(Key, "other-ca") is None


@pytest.mark.parametrize("key", ["a", ("a", 1), 5, frozenset({"a"})])
def test_a_value_that_is_put_again_replaces_the_first(key: Hashable) -> None:
    """Where the first is to stay, `keep_first` says so."""
    memory = Memory()
    memory.put(Key, key, Key("old"))
    memory.put(Key, key, Key("new"))
    assert memory.get(Key, key) == Key("new")
    assert memory.keep_first(Key, key, Key("late")) == Key("new")
    assert memory.keep_first(Chain, key, Chain("first")) == memory.get(Chain, key) == Chain("first")


def test_a_value_is_made_once() -> None:
    """At the first call; one that is there is not made again."""
    memory, made = Memory(), []

    def make() -> Key:
        made.append(1)
        return Key("made")

    memory.put(Key, "there", Key("there"))
    assert [memory.made_once(Key, "mail-ca", make) for _ in range(3)] == [Key("made")] * 3
    assert memory.made_once(Key, "there", make) == Key("there")
    assert len(made) == 1


def test_calls_at_the_same_time_get_the_same_value() -> None:
    """Each may make one, as none waits for another; what is kept is one of them, for all."""
    memory, count = Memory(), 8
    barrier = Barrier(count)

    def made(number: int) -> Key:
        barrier.wait(timeout=30)
        return Key(str(number))

    with ThreadPoolExecutor(count) as threads:
        kept = list(threads.map(lambda number: memory.made_once(Key, "mail-ca", lambda: made(number)), range(count)))
    assert len({id(each) for each in kept}) == 1
    assert memory.get(Key, "mail-ca") is kept[0]


def test_a_maker_that_fails_leaves_nothing_behind() -> None:
    """The next call makes it."""
    memory = Memory()

    def fail() -> Key:
        raise ValueError("no key")

    with pytest.raises(ValueError, match="no key"):
        memory.made_once(Key, "mail-ca", fail)
    assert memory.made_once(Key, "mail-ca", lambda: Key("made")) == Key("made")


def test_neither_repr_nor_str_show_a_value() -> None:
    """Keys are among them."""
    memory = Memory()
    memory.put(Key, "hush-hush", Key("hush-hush"))
    assert repr(memory) == str(memory) == "Memory(1 values)"
