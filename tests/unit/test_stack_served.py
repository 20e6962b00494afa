"""What a host in the stack file serves: one certificate, several, those of another name, or those that are there."""

from typing import Any

import pytest

from postfix.host import OnHost, Ownership, ServerSide
from postfix.receiving_review import to_review
from postfix.rendering import SERVED_BY, render_parameters
from postseal.stack.config import load_stack
from postseal.stack.model import Host
from tests.support.stack_files import problems_of, stack

AUTHORITY = {"common_name": "Example Mail CA", "path_length": 0}
MERGED = {"local": "/etc/postfix", "ownership": "merge"}
FILES = ["/etc/letsencrypt/live/mx1.example.org/privkey.pem", "/etc/letsencrypt/live/mx1.example.org/fullchain.pem"]


def loaded(name: str, servers: dict[str, Any] | None = None, **fields: Any) -> Host:
    """Return one host of a stack that has no other, and nothing wrong."""
    raw = stack(authority=AUTHORITY, servers=servers, hosts={name: fields})
    return load_stack(raw, [], stack_name="dev").hosts[name]


def server_side(host: Host) -> ServerSide:
    """Return the receiving side, which is there."""
    assert host.declaration.server is not None
    return host.declaration.server


@pytest.mark.parametrize(
    "signer", [pytest.param({}, id="our authority"), pytest.param({"third_party": {}}, id="a third party")]
)
def test_a_node_may_serve_a_certificate_for_the_name_that_clients_connect_to(signer: dict[str, Any]) -> None:
    """The certificate need not have the node's own name; whoever reviews the change reads that it has not."""
    servers = {"smtp": {"dns_names": ["smtp.example.org"], **signer}}
    host = loaded("n7", servers, myhostname="node7.example.org", certificate="smtp")
    assert server_side(host).public_names == ("smtp.example.org",)
    assert to_review(host.declaration)["public_names"] == (
        "clients connect to smtp.example.org; the certificate is not for myhostname node7.example.org"
    )


def test_a_certificate_with_the_hosts_own_name_leaves_nothing_to_review() -> None:
    """The positive control: by default a host is checked by its own name."""
    host = loaded("n7", {"n": {"dns_names": ["*.example.org"]}}, myhostname="node7.example.org", certificate="n")
    assert server_side(host).public_names == ()
    assert to_review(host.declaration) == {}


def test_several_certificates_are_served_beside_each_other() -> None:
    """In the order in which they are named, each from a file of its own."""
    names = {"dns_names": ["mx1.example.org"]}
    servers = {"mx1": names, "mx1-rsa": {**names, "key_algorithm": "RSA-2048"}}
    host = loaded("mx1", servers, myhostname="mx1.example.org", certificate=["mx1", "mx1-rsa"])
    assert server_side(host).certificates == ("mx1", "mx1-rsa")
    assert render_parameters(host.declaration)["smtpd_tls_chain_files"] == (
        "$config_directory/tls/mx1.pem, $config_directory/tls/mx1-rsa.pem"
    )


@pytest.mark.parametrize("algorithms", [("ECDSA-P256", "ECDSA-P384"), ("RSA-2048", "RSA-4096")])
def test_two_certificates_with_one_kind_of_key_are_refused(algorithms: tuple[str, str]) -> None:
    """Of each kind of key Postfix serves one certificate, the last, without a word about the other."""
    names = {"dns_names": ["mx1.example.org"]}
    servers = dict(zip(("a", "b"), ({**names, "key_algorithm": each} for each in algorithms), strict=True))
    hosts = {"mx1": {"myhostname": "mx1.example.org", "certificate": ["a", "b"]}}
    problems = problems_of(stack(servers=servers, hosts=hosts))
    assert [problem.path for problem in problems] == ["hosts.mx1.certificate"]
    assert "b and a both have" in problems[0].message


def test_all_that_a_host_serves_it_may_present() -> None:
    """`server` means every certificate that the host serves, so each must be for clients, too."""
    names = {"dns_names": ["mx1.example.org"]}
    rsa = {**names, "key_algorithm": "RSA-2048"}
    fields = {
        "myhostname": "mx1.example.org",
        "certificate": ["mx1", "rsa"],
        "relay_through": {"relayhost": "[mx9.example.net]", "certificate": "server"},
    }
    problems = problems_of(stack(servers={"mx1": names, "rsa": rsa}, hosts={"mx1": fields}))
    assert [problem.path for problem in problems] == ["hosts.mx1.relay_through.certificate"] * 2


@pytest.mark.parametrize(
    ("certificate", "on_host"),
    [({"keep": True}, OnHost()), ({"on_host": {"chain_files": FILES}}, OnHost(tuple(FILES)))],
    ids=["keep", "on_host"],
)
def test_a_certificate_on_the_host_is_left_alone_by_a_merge(certificate: dict[str, Any], on_host: OnHost) -> None:
    """None of the parameters that say what smtpd(8) serves is written or emptied; no certificate is made for it."""
    host = loaded("mx1", myhostname="mx1.example.org", certificate=certificate, target=MERGED, relay_clients=["alice"])
    assert server_side(host).on_host == on_host
    assert server_side(host).certificates == ()
    assert host.certificates == {}
    rendered = render_parameters(host.declaration)
    assert not {*SERVED_BY} & {*rendered}
    assert rendered["relay_clientcerts"] == "texthash:$config_directory/relay_clientcerts"
    assert "permit_tls_clientcerts" in rendered["smtpd_relay_restrictions"]


def test_a_merge_without_that_takes_the_parameters_over() -> None:
    """The negative control: a declared certificate empties what the host would serve instead."""
    rendered = render_parameters(loaded("mx1", myhostname="mx1.example.org", target=MERGED).declaration)
    assert rendered["smtpd_tls_cert_file"] == ""
    assert rendered["smtpd_tls_chain_files"] == "$config_directory/tls/mx1.pem"


def test_files_on_the_host_are_named_in_a_main_cf_that_is_ours() -> None:
    """A directory, or a main.cf that is ours as a whole, names them by the paths that they have on the host."""
    host = loaded("mx1", myhostname="mx1.example.org", certificate={"on_host": {"chain_files": FILES}})
    assert host.declaration.ownership is Ownership.WHOLE
    assert render_parameters(host.declaration)["smtpd_tls_chain_files"] == ", ".join(FILES)


def test_the_names_that_clients_connect_to_may_be_said() -> None:
    """They are what the host's own certificate is checked for."""
    host = loaded(
        "mx1",
        myhostname="node7.example.org",
        certificate={"keep": True},
        public_names=["smtp.example.org"],
        target=MERGED,
    )
    assert host.declaration.public_names == ("smtp.example.org",)


@pytest.mark.parametrize(
    ("client", "is_accepted"),
    [
        pytest.param("printer", False, id="another client"),
        pytest.param("mx1", True, id="called as the host"),
        pytest.param("relay-out", True, id="presented by the host"),
    ],
)
def test_no_client_has_the_name_of_a_host_that_serves_its_own(client: str, *, is_accepted: bool) -> None:
    """Whoever reads a log would take it for the host; a client of the same machine may have it."""
    fields = {
        "myhostname": "mx1.example.org",
        "certificate": {"keep": True},
        "target": MERGED,
        "relay_through": {"relayhost": "[mx.example.net]", "certificate": "relay-out"},
    }
    clients = {"relay-out": {"dns_names": ["out.example.org"]}}
    clients |= {client: {"dns_names": ["MX1.example.org"]}}
    problems = problems_of(stack(clients=clients, hosts={"mx1": fields}))
    assert [problem.path for problem in problems] == ([] if is_accepted else [f"clients.{client}.dns_names[0]"])
