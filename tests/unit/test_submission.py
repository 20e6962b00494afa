"""Services for mail programs: what is written for them, who is let in, and what cannot work."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postfix.host import HostDeclaration, Ownership, ServerSide
from postfix.preflight import problems_of_host
from postfix.receiving import LookupTable, Maps
from postfix.rendering import client_table, client_tables, render_parameters, render_services_of
from postfix.settings import ServerSettings, Submission
from postseal.stack.config import load_stack
from postseal.stack.model import StackConfig
from postseal_core.errors import ConfigError

DOVECOT = {"smtpd_sasl_type": "dovecot", "smtpd_sasl_path": "private/auth"}
LOGIN, CERTIFICATE = "permit_sasl_authenticated", "permit_tls_clientcerts"


def host(submission: dict[str, Submission], **fields: Any) -> HostDeclaration:
    """Return a whole host with services for mail programs."""
    side = ServerSide(ServerSettings(), ("mx1",), submission=submission)  # type: ignore[arg-type]  # names of services
    fields = {"parameters": DOVECOT, "unchecked": tuple(DOVECOT), **fields}
    return HostDeclaration("mx1", "mx1.example.org", server=side, **fields)


def options(declaration: HostDeclaration, service: str) -> dict[str, str]:
    """Return what a service of master.cf has for itself."""
    (found,) = [each for each in render_services_of(declaration) if (each.name, each.type) == (service, "inet")]
    return dict(found.options)


def places(declaration: HostDeclaration) -> set[str]:
    """Return where something is wrong."""
    return {problem.path for problem in problems_of_host(declaration)}


@pytest.mark.parametrize(
    ("service", "restrictions", "client"),
    [
        (Submission(), (CERTIFICATE, "reject"), ""),
        (Submission(sasl=True), (LOGIN, CERTIFICATE, "reject"), ""),
        (Submission(client_certificates=False, sasl=True), (LOGIN, "reject"), ""),
        (Submission(sasl=True, needs_both=True), (LOGIN, "reject"), f"{CERTIFICATE}, reject"),
    ],
)
def test_a_service_lets_in_who_is_declared_and_refuses_all_others(
    service: Submission, restrictions: tuple[str, ...], client: str
) -> None:
    """The same list for relaying and for recipients: one that is forgotten would refuse, or let anybody in."""
    declaration = host({"submission": service})
    assert problems_of_host(declaration) == []
    said = options(declaration, "submission")
    assert said["smtpd_relay_restrictions"] == said["smtpd_recipient_restrictions"] == ", ".join(restrictions)
    assert said["smtpd_client_restrictions"] == client
    assert said["smtpd_sasl_auth_enable"] == ("yes" if service.sasl else "no")
    assert said["smtpd_tls_ask_ccert"] == ("yes" if service.client_certificates else "no")


@given(
    sasl=st.booleans(),
    by_certificate=st.booleans(),
    needs_both=st.booleans(),
    name=st.sampled_from(["submission", "submissions"]),
)
def test_nobody_gets_in_by_what_port_25_lets_in(
    *, sasl: bool, by_certificate: bool, needs_both: bool, name: str
) -> None:
    """Each list of a service ends in a refusal or is empty, and none of them is left to main.cf."""
    said = options(host({name: Submission(client_certificates=by_certificate, sasl=sasl, needs_both=needs_both)}), name)
    for stage in ("client", "helo", "sender", "relay", "recipient", "data", "end_of_data"):
        restrictions = said[f"smtpd_{stage}_restrictions"]
        assert restrictions == "" or restrictions.endswith("reject")
        assert "permit_mynetworks" not in restrictions
        assert sasl or LOGIN not in restrictions
        assert by_certificate or CERTIFICATE not in restrictions or needs_both
    assert said["smtpd_relay_restrictions"].endswith("reject")
    assert said["smtpd_tls_security_level"] == "encrypt"
    assert said["smtpd_tls_auth_only"] == "yes"
    assert said["smtpd_tls_wrappermode"] == ("yes" if name == "submissions" else "no")
    assert said["smtpd_sasl_tls_security_options"] == "noanonymous"


def test_each_service_has_a_table_of_its_own() -> None:
    """Who may relay at port 25 may not submit by that, and the other way round."""
    declaration = host({"submission": Submission(), "submissions": Submission(client_certificates=False, sasl=True)})
    assert client_tables(declaration) == {"smtp": "relay_clientcerts", "submission": "submission_clientcerts"}
    assert client_table("submissions") == "submissions_clientcerts"
    assert options(declaration, "submission")["relay_clientcerts"].endswith("/submission_clientcerts")
    assert options(declaration, "submissions")["relay_clientcerts"] == ""
    assert "submission" not in " ".join(render_parameters(declaration).values())


def test_who_logs_in_writes_in_the_name_of_own_addresses_where_they_are_known() -> None:
    """A client without a login may write as it likes; its certificate says who it is."""
    owned = Maps(smtpd_sender_login_maps=(LookupTable({"alice@example.org": "alice"}),))
    declared = {"submission": Submission(sasl=True), "submissions": Submission()}
    mismatch = "reject_authenticated_sender_login_mismatch"
    assert options(host(declared, maps=owned), "submission")["smtpd_sender_restrictions"] == mismatch
    assert options(host(declared, maps=owned), "submissions")["smtpd_sender_restrictions"] == ""
    assert options(host(declared), "submission")["smtpd_sender_restrictions"] == ""


@pytest.mark.parametrize(
    ("services", "place"),
    [
        ({"smtps": Submission()}, "server.submission.smtps"),
        ({"submission": Submission(client_certificates=False)}, "server.submission.submission"),
        ({"submission": Submission(needs_both=True)}, "server.submission.submission"),
        (
            {"submission": Submission(client_certificates=False, sasl=True, needs_both=True)},
            "server.submission.submission",
        ),
    ],
)
def test_a_service_that_lets_nobody_in_is_refused(services: dict[str, Submission], place: str) -> None:
    """Postfix would start it and refuse everybody."""
    assert places(host(services)) == {place}


@pytest.mark.parametrize("ownership", list(Ownership))
def test_the_socket_of_logins_is_looked_for_in_the_jail(ownership: Ownership) -> None:
    """An absolute path leads nowhere there, and then clients with certificates are cut off as well."""
    absolute = {**DOVECOT, "smtpd_sasl_path": "/run/dovecot/auth"}
    declared = {"submission": Submission(sasl=True)}
    fields = {"parameters": absolute, "unchecked": tuple(absolute), "ownership": ownership}
    assert places(host(declared, **fields)) == {"server.submission.submission"}
    by_certificate = host({"submission": Submission()}, parameters=absolute, unchecked=tuple(absolute))
    assert places(by_certificate) == set()
    inet = {**DOVECOT, "smtpd_sasl_path": "inet:127.0.0.1:12345"}
    assert places(host(declared, parameters=inet, unchecked=tuple(inet))) == set()


def loaded(raw: dict[str, Any]) -> StackConfig:
    """Return the stack of a stack file."""
    return load_stack(raw, (), stack_name="dev")


def stack(**host_section: Any) -> dict[str, Any]:
    """Return a stack file with one host."""
    return {
        "authorities": {"ca": {"common_name": "Example CA"}},
        "servers": {"mx1": {"authority": "ca", "dns_names": ["mx1.example.org"]}},
        "clients": {name: {"authority": "ca", "email": f"{name}@example.org"} for name in ("alice", "bob")},
        "hosts": {"mx1": {"myhostname": "mx1.example.org", **host_section}},
    }


def test_a_stack_file_says_who_may_submit_by_service() -> None:
    """Only those, whoever may relay at port 25."""
    services = {"submission": {"relay_clients": ["bob"]}, "submissions": {"sasl": True}}
    mx1 = loaded(stack(relay_clients=["alice"], **services)).hosts["mx1"]
    assert [each.name for each in mx1.relaying.clients] == ["alice"]
    assert {name: [each.name for each in some.clients] for name, some in mx1.submitting.items()} == {
        "submission": ["bob"],
        "submissions": [],
    }
    assert mx1.declaration.server
    assert mx1.declaration.server.submission == {
        "submission": Submission(),
        "submissions": Submission(client_certificates=False, sasl=True),
    }


@pytest.mark.parametrize(
    ("section", "place"),
    [
        ({"submission": {"relay_clients": ["carol"]}}, "hosts.mx1.submission.relay_clients[0]"),
        ({"submission": {"relay_rosters": ["staff"]}}, "hosts.mx1.submission.relay_rosters[0]"),
        ({"submissions": {"relay_clients": ["bob", "bob"]}}, "hosts.mx1.submissions.relay_clients[1]"),
        ({"submission": {}}, "hosts.mx1.submission"),
        ({"submission": {"relay_clients": ["bob"], "needs_both": True}}, "hosts.mx1.submission"),
        ({"certificate": "none", "submission": {"relay_clients": ["bob"]}}, "hosts.mx1.submission"),
        ({"submission": {"relay_clients": ["bob"], "networks": ["192.0.2.0/24"]}}, "hosts.mx1.submission.networks"),
    ],
)
def test_mistakes_are_told_where_they_stand(section: dict[str, Any], place: str) -> None:
    """In the section of the service."""
    with pytest.raises(ConfigError) as raised:
        loaded(stack(**section))
    assert place in {problem.path for problem in raised.value.problems}


def test_a_login_of_the_whole_host_does_not_open_a_service() -> None:
    """`relay.sasl` is about port 25."""
    config = loaded(stack(relay={"sasl": True}, submission={"relay_clients": ["bob"]}))
    declaration = replace(config.hosts["mx1"].declaration)
    assert LOGIN not in options(declaration, "submission")["smtpd_relay_restrictions"]
