"""No two certificates of a stack are one and the same to whoever reads the log of a host."""

from typing import Any

import pytest

from pki.roster.reading import parse_csv
from postseal_core.errors import ConfigError
from tests.support.stack_files import problems_of, stack

Raw = dict[str, Any]
RELAY = "relay.example.org"


def told(**sections: Any) -> list[str]:
    """Return where something is wrong with a stack that has these sections."""
    return [problem.path for problem in problems_of(stack(hosts={}, **sections))]


def row(**fields: Any) -> Raw:
    """Return rosters with one client, carl."""
    return {"staff": {"clients": {"carl": {"email": "carl@example.org"} | fields}}}


FIRST: Raw = {"dns_names": [RELAY], "ip_addresses": ["192.0.2.1", "2001:db8::1"]}
SAME: dict[str, tuple[Raw, str]] = {
    "a host": ({"dns_names": ["x.example.org", RELAY]}, "dns_names[1]"),
    "a host in another case": ({"dns_names": ["RELAY.Example.org"]}, "dns_names[0]"),
    "an address": ({"dns_names": ["x.example.org"], "ip_addresses": ["192.0.2.1"]}, "ip_addresses[0]"),
    "a mapped address": ({"dns_names": ["x.example.org"], "ip_addresses": ["::ffff:192.0.2.1"]}, "ip_addresses[0]"),
    "another spelling": ({"dns_names": ["x.example.org"], "ip_addresses": ["2001:DB8:0::1"]}, "ip_addresses[0]"),
}


@pytest.mark.parametrize(("second", "field"), SAME.values(), ids=SAME)
def test_two_clients_share_no_identity(second: Raw, field: str) -> None:
    """Clients, rows of rosters, and one of each."""
    assert told(clients={"one": FIRST, "two": second}) == [f"clients.two.{field}"]
    assert told(clients={"one": FIRST}, rosters=row(**second)) == [f"rosters.staff.clients.carl.{field}"]
    rows = {"one": FIRST, "two": second}
    assert set(told(clients=None, rosters={"staff": {"clients": rows}})) == {f"rosters.staff.clients.two.{field}"}


@pytest.mark.parametrize("also_client", [True, False])
@pytest.mark.parametrize(("client", "field"), SAME.values(), ids=SAME)
def test_a_client_has_no_identity_of_a_server(client: Raw, field: str, also_client: bool) -> None:  # noqa: FBT001
    """Whether that is a client, too, or only what the log would take it for."""
    servers = {"mx2": FIRST | {"also_client": also_client}}
    assert told(servers=servers, clients={"two": client}) == [f"clients.two.{field}"]
    assert told(servers=servers, rosters=row(**client)) == [f"rosters.staff.clients.carl.{field}"]


def test_a_client_does_not_have_the_automatic_name_of_a_host() -> None:
    """Its server is declared nowhere but by the host itself."""
    raw = stack(
        clients={"mallory": {"dns_names": ["mx1.example.org"]}}, hosts={"mx1": {"myhostname": "mx1.example.org"}}
    )
    assert [problem.path for problem in problems_of(raw)] == ["clients.mallory.dns_names[0]"]


@pytest.mark.parametrize(("second", "field"), SAME.values(), ids=SAME)
def test_two_servers_that_are_clients_share_no_identity(second: Raw, field: str) -> None:
    """Two that are servers only may: several machines answer for one name."""
    servers = {"one": FIRST | {"also_client": True}, "two": second | {"also_client": True}}
    assert told(servers=servers) == [f"servers.two.{field}"]
    servers["two"] = second
    assert told(servers=servers) == []


def test_one_machine_may_have_a_certificate_of_each_kind() -> None:
    """It has one name in the file, or its host presents the client's."""
    names = {"dns_names": [RELAY], "ip_addresses": ["192.0.2.1"]}
    assert told(clients={"relay": names}, servers={"relay": names}) == []
    host: Raw = {"myhostname": RELAY, "relay_through": {"relayhost": "[mx.example.net]", "certificate": "relay-out"}}
    assert problems_of(stack(clients={"relay-out": names}, hosts={"relay": host})) == []
    sender = host | {"certificate": "none"}
    assert problems_of(stack(clients={"relay-out": names}, hosts={"relay": sender})) == []


@pytest.mark.parametrize("name", ["Mail CA", "mail ca", "Mail  CA", "\uff2dail CA"])
def test_two_authorities_are_not_called_alike(name: str) -> None:
    """The log of Postfix shows the common name of the issuer, and verifiers find issuers by their subject."""
    authorities = {"root": {"common_name": "Mail CA"}, "other": {"common_name": name}}
    clients = {"alice": {"email": "alice@example.org", "authority": "root"}}
    raw = stack(authority=None, authorities=authorities, clients=clients, hosts={})
    assert [problem.path for problem in problems_of(raw)] == ["authorities.other.common_name"]
    authorities["other"]["common_name"] = "Mail CA 2"
    assert problems_of(raw) == []


@pytest.mark.parametrize(
    ("one", "two"), [("relay.example.org", "RELAY.example.org"), ("a.example.org", "a.example.org")]
)
def test_a_roster_of_a_program_is_judged_too(one: str, two: str) -> None:
    """Row by row, as it is read."""
    with pytest.raises(ConfigError, match="dns_names"):
        parse_csv(f"name,dns_names\none,{one}\ntwo,{two}\n")
