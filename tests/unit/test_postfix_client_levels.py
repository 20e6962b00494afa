"""What sending asks for: roots where a peer's certificate is verified, and one way to name certificates."""

import pytest

from postfix.parameter_checks import problems_of_parameters
from postfix.settings import ClientSettings, DestinationPolicy, Transport
from postfix.settings_checks import problems_of_client

VERIFYING = ("verify", "secure")
OTHERS = ("none", "may", "encrypt", "dane", "dane-only")
NO_ROOTS = "ca_file"


def paths(client: ClientSettings) -> set[str]:
    """Return where something is wrong."""
    return {problem.path for problem in problems_of_client(client)}


@pytest.mark.parametrize("level", VERIFYING)
def test_a_level_that_verifies_needs_roots_wherever_it_is_declared(level: str) -> None:
    """For everybody, for one destination, or for one transport."""
    wanted = {"smtp_tls_security_level": level}
    everywhere = ClientSettings(ca_file=False, **wanted)  # type: ignore[arg-type]  # a level
    policy = ClientSettings(ca_file=False, policies=(DestinationPolicy("example.net", level),))  # type: ignore[arg-type]
    transport = Transport("t-a", ("example.net",), **wanted)  # type: ignore[arg-type]
    for client in (everywhere, policy, ClientSettings(ca_file=False, transports=(transport,))):
        assert paths(client) == {NO_ROOTS}


@pytest.mark.parametrize("level", VERIFYING)
def test_either_way_to_roots_is_enough(level: str) -> None:
    """Ours, or a file that the host has."""
    ours = ClientSettings(smtp_tls_security_level=level)  # type: ignore[arg-type]  # a level
    theirs = ClientSettings(smtp_tls_security_level=level, ca_file=False, smtp_tls_CAfile="/etc/ssl/ca.pem")  # type: ignore[arg-type]
    assert paths(ours) == paths(theirs) == set()


@pytest.mark.parametrize("level", OTHERS)
def test_other_levels_need_none(level: str) -> None:
    """They do not look at who signed."""
    assert paths(ClientSettings(smtp_tls_security_level=level, ca_file=False)) == set()  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["t a", "", "-a", "t.a", "a/b"])
def test_the_name_of_a_transport_is_said_to_be_wrong(name: str) -> None:
    """It stands in master.cf, where other characters mean something."""
    (problem,) = problems_of_client(ClientSettings(transports=(Transport(name, ("example.net",)),)))
    assert problem.path == f"transports.{name}"
    assert problem.message == f"{name!r} cannot be a transport's name; use letters, digits and hyphens"


@pytest.mark.parametrize("side", ["smtpd_tls", "smtp_tls"])
@pytest.mark.parametrize("kind", ["cert", "key", "eccert", "eckey", "dcert", "dkey"])
def test_files_that_postfix_ignores_beside_chain_files_are_told(side: str, kind: str) -> None:
    """All six of them, and only where both are set."""
    name = f"{side}_{kind}_file"
    chains = {f"{side}_chain_files": "/etc/postfix/tls/mx1.pem"}
    (problem,) = problems_of_parameters({**chains, name: "/etc/a.pem"})
    assert (problem.path, "ignores this beside" in problem.message) == (name, True)
    assert problems_of_parameters({**chains, name: ""}) == []
    assert problems_of_parameters({f"{side}_chain_files": "", name: "/etc/a.pem"}) == []
