"""Files of others that a stack file says may be replaced, place by place."""

from typing import Any

import pytest

from postfix.target import Directory, Local
from postseal.stack.build import build_stack
from postseal.stack.config import load_stack
from tests.support.mocks import run_program
from tests.support.stack_files import host, problems_of, roster, stack

FILES = ["tls/mx1.pem", "tls/ca.pem"]


def target(**fields: Any) -> Any:
    """Return the target of a host that says this."""
    return load_stack(host(target=fields), [], stack_name="dev").hosts["mx1"].target


def test_a_target_names_what_it_takes_over() -> None:
    """For a directory and for a host; nothing where nothing is said."""
    assert target(directory="srv", take_over=FILES) == Directory("srv", take_over=tuple(FILES))
    assert target(local="/etc/postfix", take_over=FILES) == Local("/etc/postfix", take_over=tuple(FILES))
    assert target(take_over=FILES) == Directory("out/dev/mx1/postfix", take_over=tuple(FILES))
    assert target(directory="srv").take_over == ()


def test_hand_outs_name_what_they_take_over() -> None:
    """Beside the directory of all, and for each roster."""
    raw = roster(hand_out={"all_clients": True, "take_over": ["anna/ca.pem"]})
    config = load_stack(raw | {"out": {"directory": "kit", "take_over": ["ca/ca.pem"]}}, [], stack_name="dev")
    program = run_program(lambda: build_stack(config), preview=True)
    told = {name: program.one("HandOut", name).properties for name in ("hand-out", "staff-hand-out")}
    assert {name: (each["directory"], each["take_over"]) for name, each in told.items()} == {
        "hand-out": ("kit", ["ca/ca.pem"]),
        "staff-hand-out": ("kit/rosters/staff", ["anna/ca.pem"]),
    }


def test_the_default_directory_takes_files_over_too() -> None:
    """Without a directory it is that of the stack."""
    config = load_stack(stack(out={"take_over": ["ca/ca.pem"]}), [], stack_name="dev")
    assert (config.out, config.out_take_over) == ("out/dev", ("ca/ca.pem",))


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        pytest.param(
            host(target={"directory": "srv", "take_over": "main.cf"}), "hosts.mx1.target.take_over", id="host"
        ),
        pytest.param(stack(out={"directory": "kit", "take_over": "x"}), "out.take_over", id="out"),
        pytest.param(roster(hand_out={"take_over": "x"}), "rosters.staff.hand_out.take_over", id="roster"),
        pytest.param(roster(hand_out="yes"), "rosters.staff.hand_out", id="a word for a roster"),
        pytest.param(roster(hand_out={"all_clients": "yes"}), "rosters.staff.hand_out.all_clients", id="not a flag"),
    ],
)
def test_a_text_where_a_list_is_needed_is_told_where_it_stands(raw: dict[str, Any], path: str) -> None:
    """Read letter by letter, it would name files of one letter."""
    assert [problem.path for problem in problems_of(raw)] == [path]


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (host(target={"directory": "srv", "take_over": ["main.cf", "tls/mx1.pem", "tls/ca.pem"]}), ""),
        (host(target={"local": "/etc/postfix", "take_over": ["main.cf"]}), "hosts.mx1.target.take_over: got 'main.cf'"),
        (host(target={"local": "/etc/postfix", "ownership": "whole", "take_over": ["main.cf"]}), ""),
        (host(target={"directory": "srv", "take_over": ["tls/mx2.pem"]}), "hosts.mx1.target.take_over: got 'tls/mx2"),
        (host(target={"directory": "srv", "take_over": ["relay_clientcerts"]}), "got 'relay_clientcerts', name files"),
        (
            host(
                target={"local": "/etc/postfix", "take_over": ["relay_clientcerts", "relay_clientcerts.db"]},
                relay_clients=["alice"],
                table_type="hash",
            ),
            "",
        ),
        (host(trust={"ca_path": True}, target={"directory": "srv", "take_over": ["ca/1a2b3c4d.0"]}), ""),
        (stack(out={"take_over": ["ca/ca.pem", "clients/alice/ca.pem"]}), ""),
        (stack(out={"take_over": ["clients/carol/ca.pem"]}), "out.take_over: got 'clients/carol/ca.pem', name files"),
        (stack(out={"take_over": ["servers/mx1/ca.pem"]}), "out.take_over: got 'servers/mx1/ca.pem'"),
        (roster(hand_out={"all_clients": True, "take_over": ["bea/ca.pem"]}), "got 'bea/ca.pem', name files"),
    ],
)
def test_a_name_that_cannot_be_there_is_told_when_the_file_is_read(raw: Any, told: str) -> None:
    """Not at the preview; which files a folder of a hand-out has, only that knows."""
    found = [str(problem) for problem in problems_of(raw)]
    assert len(found) == bool(told)
    assert all(told in each for each in found)
