"""What the project says of restriction lists is what a booted Postfix does with them, list by list."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from subprocess import run

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from postfix.host import HostDeclaration, Ownership
from postfix.preflight import problems_of_host
from postfix.receiving import LookupTable, Restrictions
from postfix.rendering import render_configuration_files, render_parameters
from postfix.restriction_names import REFUSED, RESTRICTIONS, Client
from postfix.restriction_steps import Vocabulary
from postfix.restriction_verdicts import Verdict, verdict
from tests.support.postfix_instance import Boot
from tests.support.xclient_probe import rcpt_code_as

pytestmark = pytest.mark.needs_postfix

LIST = "smtpd_recipient_restrictions"
ELSEWHERE = "someone@elsewhere.test"
ADDRESSES = {Client.STRANGER: "203.0.113.7", Client.NETWORK: "192.0.2.254"}
TABLES: Mapping[str, LookupTable] = {
    "strangers": LookupTable({"203.0.113.7": "OK"}),
    "others": LookupTable({"198.51.100.1": "OK", "198.51.100.2": "postseal_greylist"}),
    "blocked": LookupTable({"203.0.113.7": "REJECT go away", "blocked.test": "554 no"}),
    "indexed": LookupTable({"elsewhere.test": "OK"}, "hash"),
    "senders": LookupTable({"sender.test": "permit_mynetworks, reject_unauth_destination"}),
    "through": LookupTable({"sender.test": "postseal_open"}),
    "discarded": LookupTable({"elsewhere.test": "DISCARD silently"}),
    "held": LookupTable({"elsewhere.test": "HOLD", "sender.test": "PREPEND X-Seen: yes", "client.test": "WARN seen"}),
    "later": LookupTable({"elsewhere.test": "DEFER_IF_PERMIT not yet", "sender.test": "DEFER_IF_REJECT"}),
    "tempting": LookupTable({"elsewhere.test": "RELAY"}),
}
CLASSES: Mapping[str, tuple[str, ...]] = {
    "postseal_open": ("permit",),
    "postseal_greylist": ("reject_non_fqdn_sender", "permit_mynetworks", "reject_unauth_destination"),
    "postseal_outer": ("warn_if_reject postseal_greylist", "check_recipient_access later"),
    "postseal_ends": ("reject_non_fqdn_recipient",),
}
# Every item here can be asked without a name server.
ITEMS = (
    *("permit", "reject", "defer", "defer_if_permit", "defer_if_reject", "warn_if_reject", "sleep 0"),
    *("permit_mynetworks", "PERMIT_MYNETWORKS", "permit_inet_interfaces", "permit_auth_destination"),
    *("permit_sasl_authenticated", "permit_tls_clientcerts", "reject_unauth_pipelining"),
    *("reject_unauth_destination", "defer_unauth_destination", "warn_if_reject reject_unauth_destination"),
    *(
        "reject_non_fqdn_sender",
        "reject_non_fqdn_recipient",
        "reject_non_fqdn_helo_hostname",
        "reject_unlisted_recipient",
    ),
    *("check_client_access strangers", "check_client_access others", "check_client_access blocked"),
    *("check_sender_access senders", "check_sender_access through", "warn_if_reject check_client_access blocked"),
    *("check_recipient_access discarded", "check_recipient_access held", "check_recipient_access later"),
    *("check_recipient_access tempting", "check_recipient_access indexed", "check_sender_access blocked"),
    *("check_ccert_access strangers", "check_sasl_access strangers", "warn_if_reject postseal_open"),
    *CLASSES,
)
REFUSING = "reject_unauth_destination"
SAMPLES: tuple[tuple[str, ...], ...] = (
    ("check_client_access strangers", REFUSING),
    ("check_recipient_access tempting", REFUSING),
    ("check_recipient_access indexed", REFUSING),
    ("check_recipient_access discarded", REFUSING),
    ("check_sender_access through", REFUSING),
    ("warn_if_reject postseal_greylist", "postseal_open", REFUSING),
    ("permit_mynetworks", "postseal_outer", REFUSING),
    ("check_recipient_access later", "permit_mynetworks", REFUSING),
    ("defer_if_permit", "permit"),
    (
        "check_sender_access senders",
        "postseal_ends",
        "warn_if_reject reject_unauth_destination",
        "postseal_open",
        REFUSING,
    ),
)


def declaration(items: Sequence[str]) -> HostDeclaration:
    """Return a host with one list, on which nothing else keeps strangers from relaying."""
    lists = Restrictions(
        smtpd_recipient_restrictions=tuple(items),
        smtpd_data_restrictions=tuple(CLASSES),  # so that each is used
        classes=CLASSES,
        tables=TABLES,
    )
    return HostDeclaration("mx1", "mx1.example.test", restrictions=lists, ownership=Ownership.MERGE)


def is_accepted(items: Sequence[str]) -> bool:
    """Return whether nothing is wrong with a host that has this list."""
    return not problems_of_host(declaration(items))


def generated(count: int) -> list[tuple[str, ...]]:
    """Return accepted lists, the same ones in each run."""
    found: dict[tuple[str, ...], None] = {}

    @settings(
        max_examples=40 * count,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(st.sampled_from(ITEMS), min_size=1, max_size=6).map(tuple))
    def collect(items: tuple[str, ...]) -> None:
        # Without a refusal before a plain permit, and with no other list, smtpd does not even start.
        is_started = REFUSING in items and "permit" not in items[: items.index(REFUSING)]
        if len(found) < count and is_started and is_accepted(items):
            found[items] = None

    collect()
    return list(found)


def overrides(items: Sequence[str]) -> dict[str, str]:
    """Return what one SMTP server says differently from main.cf."""
    rendered = render_parameters(declaration(items))
    return {LIST: rendered[LIST], "smtpd_relay_restrictions": ""}


def boot_all(boot: Boot, directory: Path, lists: Mapping[str, Sequence[str]]) -> Mapping[str, int]:
    """Boot one Postfix with a server for each list, and return its ports by the list's name."""
    host = declaration(["postseal_open"])
    parameters = render_parameters(host)
    for entry in render_configuration_files(replace(host, ownership=Ownership.WHOLE)):
        if entry.path.startswith("access-"):
            (directory / entry.path).write_bytes(entry.content)
    main_cf = {name: value for name, value in parameters.items() if name != LIST} | {
        "compatibility_level": "3.6",
        "mydestination": "mx1.example.test",
        "smtpd_authorized_xclient_hosts": "127.0.0.1",
        "smtpd_peername_lookup": "no",
    }
    (directory / "main.cf").write_text("".join(f"{name} = {value}\n" for name, value in main_cf.items()))
    return boot(directory, servers={name: overrides(items) for name, items in lists.items()}).ports


def test_no_stranger_relays_with_an_accepted_list_and_verdicts_are_what_postfix_does(
    tmp_path: Path, postfix_instance: Boot
) -> None:
    """Of forty generated lists that are accepted, none lets a stranger relay; some that are refused do."""
    accepted = {f"accepted-{number}": items for number, items in enumerate(generated(40))}
    refused = {f"sample-{number}": items for number, items in enumerate(SAMPLES)}
    lists = accepted | refused
    ports = boot_all(postfix_instance, tmp_path, lists)
    known = Vocabulary(declaration(["postseal_open"]).restrictions)
    real = {
        (name, client): rcpt_code_as(address, ports[name], ELSEWHERE) == 250
        for name in lists
        for client, address in ADDRESSES.items()
    }
    said = {(name, client): verdict(lists[name], client, known) for name, client in real}
    assert len(accepted) == 40
    assert [lists[name] for name in accepted if real[name, Client.STRANGER]] == []
    wrong = {
        (*lists[name], client): (said[name, client], is_permitted)
        for (name, client), is_permitted in real.items()
        if said[name, client] is not Verdict.CANNOT_TELL and is_permitted is not (said[name, client] is Verdict.PERMIT)
    }
    assert wrong == {}
    # The controls: what is refused here does let strangers in, and hosts of the network are let in by accepted lists.
    assert [name for name in refused if real[name, Client.STRANGER]] != []
    assert not any(is_accepted(lists[name]) for name in refused if real[name, Client.STRANGER])
    assert [name for name in accepted if real[name, Client.NETWORK]] != []


def test_every_restriction_stands_in_smtpd_itself() -> None:
    """A linker lets a text stand inside a longer one with the same end."""
    command = ["postconf", "-dh", "daemon_directory"]
    directory = run(command, capture_output=True, text=True, check=True).stdout.strip()
    program = Path(directory, "smtpd").read_bytes()
    assert [name for name in (*RESTRICTIONS, *REFUSED) if f"{name}\0".encode() not in program] == []
    assert b"reject_everything\0" not in program
