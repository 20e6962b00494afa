"""A stack file writes nowhere but into places of its own, and replaces only files that it names plainly."""

from typing import Any

import pytest

from postseal.stack.config import load_stack
from postseal_core.errors import ConfigError
from postseal_core.files.bringing import problems_of_directory
from tests.support.stack_files import host, problems_of, roster, stack

NAMES = (
    "/etc/shadow",
    "../main.cf",
    "tls/../../x",
    ".",
    "..",
    "./main.cf",
    "tls//x",
    "tls/",
    ".postseal.json",
    "main.cf.before-postseal",
    "anna/.postseal.json",
)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_taken_over_is_named_plainly(name: str) -> None:
    """At each of the three places, before anything is registered."""
    files = ["main.cf", name]
    raws: dict[str, Any] = {
        "hosts.mx1.target.take_over[1]": host(target={"directory": "srv", "take_over": files}),
        "out.take_over[1]": stack(out={"take_over": files}),
        "rosters.staff.hand_out.take_over[1]": roster(hand_out={"all_clients": True, "take_over": files}),
    }
    assert {path: [each.path for each in problems_of(raw)] for path, raw in raws.items()} == {
        path: [path] for path in raws
    }


def test_nothing_is_taken_over_twice() -> None:
    """The second one would be a slip."""
    files = ["main.cf", "tls/x", "main.cf"]
    paths = [each.path for each in problems_of(host(target={"local": "/etc/postfix", "take_over": files}))]
    assert paths == ["hosts.mx1.target.take_over[2]"]


PLACES = (
    *("/", "//", "/.", ".", "./", "..", "../..", "a/..", "a/../..", "/a/.."),
    *(".git", ".git/hooks", ".pulumi", "a/.ssh", "./.github", "stacks", "stacks/prod", "./stacks", "a/../stacks"),
    *("/srv/x/.git", "/srv/x/.pulumi/stacks"),
)


@pytest.mark.parametrize("place", PLACES)
def test_what_is_no_place_of_files_is_refused(place: str) -> None:
    """The project itself, what holds it, its stack files, and what is hidden in it."""
    assert [each.path for each in problems_of(stack(out=place, hosts={}))] == ["out.directory"]
    assert "hosts.mx1.target.directory" in {each.path for each in problems_of(host(target=place))}
    assert [each.path for each in problems_of_directory("directory", place)] == ["directory"]


@pytest.mark.parametrize("place", ["/srv/project", "/srv", "/srv/project/stacks", "/srv/project/.secrets/x"])
def test_a_place_is_known_by_its_absolute_path_too(place: str) -> None:
    """As the engine says where the project is."""
    with pytest.raises(ConfigError) as refused:
        load_stack(stack(out=place, hosts={}), [], stack_name="dev", project="/srv/project")
    assert [each.path for each in refused.value.problems] == ["out.directory"]
    load_stack(stack(out="/srv/project/out", hosts={}), [], stack_name="dev", project="/srv/project")


@pytest.mark.parametrize("place", ["out", "../elsewhere", "/srv/mail", "a.b/c", "/home/me/.cache/mail", "stacksx"])
def test_other_places_are_taken(place: str) -> None:
    """Beside the program or anywhere else."""
    assert problems_of(stack(out=place)) == []


def two(first: Any, second: Any, out: str = "out/test") -> list[str]:
    """Return where something is wrong with two hosts that have these targets."""
    hosts = {
        name: {"myhostname": f"{name}.example.org", "target": target}
        for name, target in (("mx1", first), ("mx2", second))
    }
    return [each.path for each in problems_of(stack(hosts=hosts, out=out))]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("srv", "srv"),
        ("srv", "srv/mx2"),
        ("srv/mx1", "srv"),
        ("srv/a/../mx1", "./srv/mx1/tls"),
        ({"local": "/etc/postfix"}, "/etc/postfix/mx2"),
        ("srv/mx1", "srv/queue_directory"),
        ("srv/mx1", "srv/queue_directory/etc/postfix"),
        ({"local": "/etc/postfix"}, {"local": "/etc/postfix/instance"}),
    ],
)
def test_no_host_lies_in_another_one(first: Any, second: Any) -> None:
    """What one writes, the other would find as files of others, or remove."""
    assert two(first, second) == ["hosts.mx2.target"]


@pytest.mark.parametrize(
    "target",
    [
        *("kit", "kit/ca", "kit/clients", "kit/clients/alice", "kit/crl/x", "kit/requests", "kit/rosters/staff/anna"),
        *("./kit/ca/", "kit/x/../ca"),
    ],
)
def test_no_host_lies_among_what_is_handed_out(target: str) -> None:
    """Nor around it."""
    assert two("kit/mx1/postfix", target, out="kit") == ["hosts.mx2.target"]
    assert two("kit/mx1/postfix", "kit", out="kit/test") == ["hosts.mx2.target"]


def test_hosts_lie_side_by_side() -> None:
    """In the directory of hand-outs, or elsewhere."""
    assert two("kit/mx1/postfix", "kit/mx2/postfix", out="kit") == []
    assert two("srv/mx1", "srv/mx2") == []
    assert two({"local": "/etc/postfix"}, {"local": "/etc/postfix-out"}) == []
