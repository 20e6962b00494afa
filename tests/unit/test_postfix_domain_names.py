"""Names of domains with what main.cf fills in."""

import pytest

from postfix.domain_checks import expanded_domain
from postfix.host import HostDeclaration, ServerSide
from postfix.settings import ServerSettings


@pytest.mark.parametrize(
    ("myhostname", "parameters", "domain"),
    [
        ("MX1.example.org", {}, "example.org"),
        ("mx1.example.org", {"mydomain": "example.net"}, "example.net"),
        ("mx1", {}, "localdomain"),
    ],
)
def test_mydomain_is_what_is_declared_else_what_stands_behind_the_first_dot(
    myhostname: str, parameters: dict[str, str], domain: str
) -> None:
    """As postconf(5) has it; in small letters, as domains are compared."""
    server = ServerSide(ServerSettings(), ("mx1",))
    host = HostDeclaration("mx1", myhostname, server=server, parameters=parameters)
    assert expanded_domain("lists.$mydomain", host) == f"lists.{domain}"
    assert expanded_domain("$myhostname", host) == myhostname.lower()
