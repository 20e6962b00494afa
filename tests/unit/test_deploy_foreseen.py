"""What a deployment would do by the way: when somebody looks, what own files answer, and the words for a reader."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postfix.deploy.foreseen import (
    Expectation,
    Foreseen,
    changed_names,
    is_first_row,
    is_open,
    is_worth_a_look,
    lines_of,
    own_after,
    own_before,
    problems_of,
)
from postfix.deploy.foretold import (
    ending_in_words,
    rows_that_go,
    sentences_of_moved_queue,
    sentences_of_open_files,
    sentences_of_preview,
    sentences_of_unknown,
)
from postfix.deploy.host_files import Deployed, HostFiles, Situation, Table
from postfix.deploy.plan import plan_deployment
from postfix.effective.acceptance import ACCEPTED_WORDS, Ruling, problems_of_accept, ruled, word_of
from postfix.effective.captures import HostConfiguration, MasterService
from postfix.effective.comparison import Finding, Rule, View
from postfix.effective.interfaces import findings_about_addresses
from postfix.effective.own_answers import OwnFiles, own_answer, visitors_from
from postfix.effective.remedies import remedy_of
from postfix.effective.visitors import AUTHORITIES, CHAIN, NOBODY, PAIR, Answer, Asked, Kind, Question
from postfix.master_cf import Service
from postfix.parameters import known_parameters
from postseal_core.files.tree import DIRECTORY, ROOT, FileEntry, digest

CLIENTS, ROUTES = "relay_clientcerts", "transport"
MAIN_CF = FileEntry("main.cf", b"biff = yes\n", 0o644)
MASTER_CF = FileEntry("master.cf", b"smtp inet n - n - - smtpd\n", 0o644)
KEY = FileEntry("tls/mx1.pem", b"a key", 0o400)
ROW, OTHER_ROW = b"AA:BB alice\n", b"CC:DD bob\n"
EXPECTED = Expectation(client_tables={CLIENTS: True})


def files(rows: bytes = ROW, routes: bytes = b"", kind: str = "texthash", **changes: Any) -> HostFiles:
    """Return a host with a key, clients and perhaps routes."""
    tables = [Table(FileEntry(CLIENTS, rows, 0o644), kind, lists_clients=True)]
    tables += [Table(FileEntry(ROUTES, routes, 0o644), kind)] if routes else []
    return HostFiles(**{"files": (KEY,), "tables": tuple(tables), "parameters": {"biff": "no"}} | changes)


def deployed(host: HostFiles) -> tuple[Deployed, Situation]:
    """Return the record of a deployment, and the host after it."""
    before = Situation(files={ROOT: DIRECTORY}, configuration={"main.cf": MAIN_CF, "master.cf": MASTER_CF})
    plan = plan_deployment(host, Deployed(), before, "p")
    present = {ROOT: DIRECTORY, "tls/": DIRECTORY, **{entry.path: digest(entry) for entry in host.entries}}
    present |= dict.fromkeys(host.index_paths, "index")
    configuration = {file.path: file for file in (plan.main_cf, plan.master_cf) if file}
    return plan.deployed, Situation(files=present, configuration=configuration)


CHANGES: Mapping[str, tuple[HostFiles, bool]] = {
    "nothing": (files(), False),
    "another row": (files(OTHER_ROW), False),
    "one row more": (files(ROW + OTHER_ROW), False),
    "no row any more": (files(b""), False),
    "another key": (files(files=(FileEntry("tls/mx1.pem", b"another", 0o400),)), True),
    "a parameter": (files(parameters={"biff": "yes"}), True),
    "a route": (files(routes=b"example.org :[mx]\n"), True),
    "a service": (files(services=(Service("relay2", "unix", "smtp"),)), True),
}


@pytest.mark.parametrize("kind", ["texthash", "hash"])
@pytest.mark.parametrize("change", CHANGES)
def test_postfix_is_looked_at_where_a_listener_may_do_something_else(change: str, kind: str) -> None:
    """A removal of rows asks nothing; whatever else changes does."""
    desired, is_worth = CHANGES[change]
    record, situation = deployed(files(kind=kind))
    desired = files(
        desired.tables[0].source.content,
        desired.tables[1].source.content if len(desired.tables) > 1 else b"",
        kind,
        files=desired.files,
        parameters=desired.parameters,
        services=desired.services,
    )
    plan = plan_deployment(desired, record, situation, "p")
    assert is_worth_a_look(plan, desired, situation, is_first=False) == is_worth


def test_the_first_deployment_the_first_client_and_no_removal_are_looked_at() -> None:
    """Until now nobody was let in, so nothing can have been so before."""
    record, situation = deployed(files(b""))
    plan = plan_deployment(files(), record, situation, "p")
    own = own_before(record, {CLIENTS: b""}, "/etc/postfix")
    assert is_first_row(EXPECTED, own)
    assert is_worth_a_look(plan, files(), situation, is_first=True)
    empty = Situation(files={ROOT: DIRECTORY}, configuration={"main.cf": MAIN_CF})
    assert is_worth_a_look(plan_deployment(files(), Deployed(), empty), files(), empty, is_first=False)
    assert not is_worth_a_look(plan_deployment(HostFiles(), record, situation), HostFiles(), situation, is_first=False)
    listed = own_before(record, {CLIENTS: ROW}, "/etc/postfix")
    assert not is_first_row(EXPECTED, listed)
    assert not is_first_row(Expectation(client_tables={CLIENTS: False}), own)
    assert own_before(Deployed(), {CLIENTS: ROW}, "/etc/postfix") == OwnFiles(), "rows of others"


VISITORS = visitors_from("203.0.113.7", "nonce", has_clients=True)
LISTED = next(each for each in VISITORS if each.kind is Kind.LISTED)
UNLISTED = next(each for each in VISITORS if each.kind is Kind.UNLISTED)
PLACE, TABLE = "/etc/postfix", f"texthash:/etc/postfix/{CLIENTS}"
OWN = own_after(files(routes=b"Example.org :[mx]\n"), Expectation(client_tables={CLIENTS: True}), PLACE)
OWN_ANSWERS: Mapping[Question, Answer | None] = {
    Question(Asked.LOOKUP, TABLE, LISTED.prints["sha256"][0]): Answer.YES,
    Question(Asked.LOOKUP, TABLE, LISTED.prints["sha256"][1]): Answer.YES,
    Question(Asked.LOOKUP, TABLE, LISTED.prints["sha1"][0]): Answer.NO,
    Question(Asked.LOOKUP, TABLE, UNLISTED.prints["sha256"][0]): Answer.NO,
    Question(Asked.LOOKUP, TABLE, "aa:bb"): Answer.YES,
    Question(Asked.LOOKUP, TABLE, NOBODY): Answer.NO,
    Question(Asked.LOOKUP, f"hash:/etc/postfix/{CLIENTS}", LISTED.prints["sha256"][0]): None,
    Question(Asked.LOOKUP, f"texthash:/etc/postfix/{ROUTES}", "example.ORG"): Answer.YES,
    Question(Asked.LOOKUP, f"texthash:/etc/postfix/{ROUTES}", "*"): Answer.NO,
    Question(Asked.LOOKUP, "hash:/etc/aliases", "x"): None,
    Question(Asked.LOADS, "/etc/postfix/tls/mx1.pem", CHAIN): Answer.YES,
    Question(Asked.LOADS, "/etc/postfix/tls/mx1.pem /etc/postfix/tls/mx1.pem", CHAIN): Answer.YES,
    Question(Asked.LOADS, "/etc/postfix/tls/mx1.pem /etc/ssl/other.pem", CHAIN): Answer.UNKNOWN,
    Question(Asked.LOADS, "/etc/ssl/other.pem", PAIR, "/etc/postfix/tls/mx1.pem"): Answer.UNKNOWN,
    Question(Asked.LOADS, "/etc/ssl/other.pem", PAIR, "/etc/ssl/other.key"): None,
    Question(Asked.LOADS, "/etc/ssl/other.pem", AUTHORITIES): None,
    Question(Asked.READABLE, "/etc/ssl/openssl.cnf", "root"): None,
    Question(Asked.CIPHERS, "HIGH"): None,
    Question(Asked.LOGIN, "private/auth", "dovecot"): None,
    Question(Asked.TRUSTED, "/etc/postfix/tls/mx1.pem", Kind.UNLISTED): Answer.YES,
    Question(Asked.TRUSTED, "/etc/postfix/tls/mx1.pem", Kind.FOREIGN): Answer.NO,
    Question(Asked.TRUSTED, "/etc/ssl/cert.pem", Kind.FOREIGN): Answer.UNKNOWN,
}


@pytest.mark.parametrize("question", OWN_ANSWERS, ids=str)
def test_what_a_plan_writes_is_answered_by_the_plan(question: Question) -> None:
    """All else is asked on the host."""
    assert own_answer(question, OWN, VISITORS) is OWN_ANSWERS[question]


def test_a_table_whose_rows_a_preview_does_not_know_lists_the_declared_client() -> None:
    """It is looked at with a print that will be there, whatever type the table has; a CApath stands for its files."""
    pending = Expectation(client_tables={CLIENTS: True}, pending=("tls/authorities/", CLIENTS))
    own = own_after(files(tables=()), pending, PLACE)
    listed = Question(Asked.LOOKUP, f"lmdb:/etc/postfix/{CLIENTS}", LISTED.prints["sha256"][0])
    assert own_answer(listed, own, VISITORS) is Answer.YES
    assert own_answer(Question(Asked.TRUSTED, "/etc/postfix/tls/authorities", Kind.LISTED), own, VISITORS) is Answer.YES
    nobody = own_after(files(tables=()), Expectation(client_tables={CLIENTS: False}), PLACE)
    assert own_answer(listed, nobody, VISITORS) is None


@given(st.text(), st.text())
def test_no_two_visitors_have_a_print_in_common(nonce: str, other: str) -> None:
    """Nor has one of another run."""
    prints = [
        each
        for nonces in {nonce, other}
        for one in visitors_from("::1", nonces, has_clients=True)
        for some in one.prints.values()
        for each in some
    ]
    assert len(prints) == len(set(prints))
    assert [each.kind for each in visitors_from("::1", nonce, has_clients=False)] == [*Kind][1:]


FINDINGS = (
    Finding(Rule.LISTED_REFUSED, "submission/inet", "no"),
    Finding(Rule.VALUE_FOLLOWS, "smtp_tls_CAfile", "a -> b"),
    Finding(Rule.CANNOT_TELL, "smtp/inet", "hm"),
)


def test_what_is_accepted_is_not_refused_and_what_nothing_needs_is_named() -> None:
    """By word and place; without /inet as well."""
    refused = ruled(FINDINGS, {})
    assert (refused.refused, refused.told) == (FINDINGS[:2], FINDINGS[2:])
    accept = {"listed_refused": ("submission", "smtps"), "value_follows": ("smtp_tls_CAfile",)}
    found = ruled(FINDINGS, accept)
    assert (found.refused, found.accepted, found.unused) == ((), FINDINGS[:2], (("listed_refused", "smtps"),))
    # The word of another rule, and another place.
    assert ruled(FINDINGS, {"taken_away": ("submission",), "listed_refused": ("smtp",)}).refused == FINDINGS[:2]


def test_what_was_so_before_is_told() -> None:
    """Only that: the rest is refused all the same."""
    found = ruled(FINDINGS, {}, excused={(Rule.LISTED_REFUSED, "submission/inet")})
    assert (found.refused, {*found.told}) == (FINDINGS[1:2], {FINDINGS[0], FINDINGS[2]})


def test_each_rule_that_refuses_has_a_word_but_that_nobody_knows_anything() -> None:
    """The words are a promise to stack files."""
    assert {rule: word_of(rule) for rule in Rule if rule.startswith("R")} == {
        Rule.UNKNOWN: "",
        Rule.STRANGERS_GAIN: "strangers_gain",
        Rule.LISTED_REFUSED: "listed_refused",
        Rule.TLS_WEAKER: "tls_weaker",
        Rule.SERVICE_LOST: "service_lost",
        Rule.VALUE_FOLLOWS: "value_follows",
        Rule.TAKEN_AWAY: "taken_away",
    }
    assert {*ACCEPTED_WORDS.values()} == {rule for rule in Rule if word_of(rule)}


MISTAKES: Mapping[str, tuple[Mapping[str, tuple[str, ...]], list[str]]] = {
    "good": (
        {"value_follows": ("smtp_tls_CAfile",), "listed_refused": ("submission", "127.0.0.1:25/inet", "[::1]:25")},
        [],
    ),
    "a word": ({"open_relay": ("smtp",)}, ["open_relay: got 'open_relay', expected one of strangers_gain"]),
    "no place": ({"listed_refused": ()}, ["listed_refused: names nothing that is accepted"]),
    "a service": ({"tls_weaker": ("a b",)}, ["tls_weaker: got 'a b', expected a service of master.cf"]),
    "no parameter": ({"value_follows": ("smtp_tls_CAfil",)}, ["expected a parameter of main.cf, as smtp_tls_CAfile"]),
    "declared": ({"value_follows": ("relayhost",)}, ["relayhost is declared for this host"]),
    "never refused": ({"value_follows": ("biff",)}, ["a changed value of biff is told and never refused"]),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_words_and_places_that_accept_nothing_are_mistakes(case: str) -> None:
    """Each in one sentence."""
    accept, expected = MISTAKES[case]
    found = [*map(str, problems_of_accept(accept, ["relayhost"]))]
    assert len(found) == len(expected)
    assert [(words, line) for words, line in zip(expected, found, strict=True) if words not in line] == []


def view(*services: MasterService, **parameters: str) -> View:
    """Return a host by its parameters."""
    return View(HostConfiguration(parameters=parameters, written=parameters, services=services))


SMTP = MasterService(name="smtp", type="inet", command="smtpd")
TLS = {
    "smtpd_tls_security_level": "may",
    "smtpd_tls_chain_files": "/k.pem",
    "smtpd_tls_ask_ccert": "yes",
    "smtpd_tls_fingerprint_digest": "sha256",
}


def addressed(service: str = "smtp", interfaces: str = "all") -> View:
    """Return a host with one listener."""
    return view(MasterService(name=service, type="inet", command="smtpd"), inet_interfaces=interfaces)


ADDRESSES: Mapping[str, tuple[View, str]] = {
    "all": (addressed(), ""),
    "here": (addressed(interfaces="192.0.2.1, [2001:DB8::1]"), ""),
    "not here": (addressed(interfaces="192.0.2.1, 192.0.2.9"), "192.0.2.9"),
    "a service elsewhere": (addressed("[2001:db8::9]:25"), "2001:db8::9"),
    "loopback": (addressed("127.0.0.9:25"), ""),
    "a name": (addressed(interfaces="mx1.example.org"), ""),
    "any": (addressed("0.0.0.0:25"), ""),
}


@pytest.mark.parametrize("case", ADDRESSES)
def test_a_listener_needs_an_address_of_the_host(case: str) -> None:
    """What was so before is no news, and without addresses nothing can be told."""
    after, lacking = ADDRESSES[case]
    here = ["192.0.2.1", "2001:db8::1", "fe80::1%eth0"]
    found = [*findings_about_addresses(view(), after, here)]
    assert [each.rule for each in found] == ([Rule.SERVICE_LOST] if lacking else [])
    assert lacking in "".join(each.message for each in found)
    assert [*findings_about_addresses(after, after, here)] == []
    assert [*findings_about_addresses(view(), after, [])] == []


def listed_refused(cause: str) -> Finding:
    """Return the finding that listed clients are refused."""
    return Finding(Rule.LISTED_REFUSED, "smtp/inet", f"listed clients would be refused, by {cause}")


REMEDIES: Mapping[str, tuple[Finding, View, str]] = {
    "recipients": (
        listed_refused("smtpd_recipient_restrictions: reject_unauth_destination"),
        view(SMTP, **TLS),
        "restrict_recipients: true",
    ),
    "clients": (
        listed_refused("smtpd_client_restrictions: reject"),
        view(SMTP, **TLS),
        "put permit_tls_clientcerts in front of what refuses in smtpd_client_restrictions of main.cf",
    ),
    "a service of its own": (
        listed_refused("smtpd_recipient_restrictions: reject"),
        view(
            MasterService(
                name="smtp", type="inet", command="smtpd", options={"smtpd_recipient_restrictions": "reject"}
            ),
            **TLS,
        ),
        "smtp/inet in master.cf has a list of its own",
    ),
    "no TLS": (
        listed_refused("smtpd_relay_restrictions: reject_unauth_destination"),
        view(
            MasterService(name="smtp", type="inet", command="smtpd", options={"smtpd_tls_security_level": "none"}),
            **TLS,
        ),
        "no TLS is offered here, so no certificate is seen: take smtpd_tls_security_level out of smtp/inet in master",
    ),
    "not asked": (
        listed_refused("smtpd_relay_restrictions: reject_unauth_destination"),
        view(SMTP, **{**TLS, "smtpd_tls_ask_ccert": "no"}),
        "no certificate is asked for here",
    ),
    "STARTTLS hidden": (
        listed_refused("smtpd_relay_restrictions: reject_unauth_destination"),
        view(SMTP, **TLS, smtpd_discard_ehlo_keywords="dsn, STARTTLS"),
        "STARTTLS is not offered here, so no certificate is seen: take starttls out of smtpd_discard_ehlo_keywords of",
    ),
    "another digest": (
        listed_refused("smtpd_relay_restrictions: reject_unauth_destination"),
        view(SMTP, **{**TLS, "smtpd_tls_fingerprint_digest": "sha1"}),
        "fingerprints are compared in sha1 here",
    ),
    "not listed": (
        listed_refused("smtpd_relay_restrictions: reject_unauth_destination"),
        view(SMTP, **TLS, smtpd_relay_restrictions="permit_tls_clientcerts", relay_clientcerts="hash:/x"),
        "see that /k.pem can be loaded, and that the client is listed in hash:/x",
    ),
    "a listener with less TLS": (
        Finding(Rule.TLS_WEAKER, "smtp/inet", "TLS would become less: encrypt -> may"),
        view(SMTP),
        "declare `smtpd_tls_security_level: encrypt` under `settings`",
    ),
    "TLS no longer from the first byte": (
        Finding(Rule.TLS_WEAKER, "smtp/inet", "TLS would become less: encrypt -> may, no longer from the first byte"),
        view(SMTP),
        "",
    ),
    "mail that leaves": (
        Finding(Rule.TLS_WEAKER, "smtp_tls_security_level", "mail would leave with less TLS: secure -> may"),
        view(SMTP),
        "declare `smtp_tls_security_level: secure` under `relay_through` or `settings`",
    ),
    "users": (
        Finding(Rule.SERVICE_LOST, "smtp/inet", "users who log in may relay no longer: permit -> refuse"),
        view(SMTP),
        "`relay: { sasl: true }` of the host lets them relay",
    ),
    "gone": (Finding(Rule.LISTED_REFUSED, "smtps/inet", "no such listener"), view(SMTP), ""),
    "a reference": (Finding(Rule.VALUE_FOLLOWS, "smtp_tls_CAfile", "x"), view(), "declare smtp_tls_CAfile under"),
    "TLS": (Finding(Rule.TLS_WEAKER, "smtp/inet", "x"), view(SMTP), ""),
}


@pytest.mark.parametrize("case", REMEDIES)
def test_a_finding_says_what_may_be_done(case: str) -> None:
    """By the list or the option that decides."""
    finding, after, words = REMEDIES[case]
    found = remedy_of(finding, after)
    assert (words in found) if words else found == ""


def test_advice_about_certificates_is_for_lists_that_ask_for_them() -> None:
    """A list that refuses without asking is the whole matter, whatever another list says."""
    after = view(SMTP, **TLS, smtpd_relay_restrictions="permit_tls_clientcerts", relay_clientcerts="hash:/x")
    found = remedy_of(listed_refused("smtpd_recipient_restrictions: reject_unauth_destination"), after)
    assert "can be loaded" not in found
    assert "restrict_recipients" in found


def test_a_refusal_names_place_reason_remedy_and_acceptance() -> None:
    """In a listener's case master.cf, in a parameter's main.cf; of what nobody knows there is nothing to accept."""
    refused = (
        Finding(Rule.UNKNOWN, "", "broken"),
        listed_refused("smtpd_client_restrictions: reject"),
        Finding(Rule.VALUE_FOLLOWS, "smtp_tls_CAfile", "a -> b \udce9"),
    )
    unknown, listener, value = map(
        str, problems_of(Foreseen(ruling=Ruling(refused=refused), after=view(SMTP, **TLS)), PLACE)
    )
    assert unknown == "/etc/postfix: broken"
    assert listener.startswith("/etc/postfix/master.cf: smtp/inet: listed clients would be refused, by ")
    assert listener.endswith("; to accept it: `accept: { listed_refused: [smtp] }` of the host")
    assert "put permit_tls_clientcerts in front" in listener
    assert value.startswith("/etc/postfix/main.cf: smtp_tls_CAfile: a -> b \\udce9; declare smtp_tls_CAfile")


def test_lines_tell_each_finding_once() -> None:
    """What is told, what is accepted, and what is accepted in vain."""
    ruling = Ruling(
        told=(FINDINGS[2], FINDINGS[2], Finding(Rule.SO_BEFORE, "smtp/inet", "listed clients are refused already")),
        accepted=(FINDINGS[1],),
        unused=(("tls_weaker", "smtps"),),
    )
    assert lines_of(Foreseen(ruling=ruling, after=view(SMTP, **TLS))) == (
        "smtp: hm",
        "smtp: listed clients are refused already",
        "smtp_tls_CAfile: a -> b; `accept` has value_follows",
        "accept.tls_weaker: nothing needs smtps here any more; take it out",
    )


OPENNESS: Mapping[str, tuple[Ruling, Expectation | None, bool]] = {
    "nothing found": (Ruling(), EXPECTED, True),
    "nobody asked": (Ruling(), None, True),
    "nobody listed": (Ruling(), Expectation(client_tables={CLIENTS: False}), False),
    "accepted": (Ruling(accepted=FINDINGS[:1]), EXPECTED, False),
    "so before": (Ruling(told=(Finding(Rule.SO_BEFORE, "smtp/inet", "x"),)), EXPECTED, False),
    "something else": (Ruling(accepted=FINDINGS[1:2], told=FINDINGS[2:]), EXPECTED, True),
}


@pytest.mark.parametrize("case", OPENNESS)
def test_a_listed_client_has_to_be_let_in_unless_it_is_known_that_none_is(case: str) -> None:
    """The new configuration is run beside: what was accepted must not fail there."""
    ruling, expectation, expected = OPENNESS[case]
    assert is_open(Foreseen(ruling=ruling), expectation) is expected


def preview(before: View, after: View, *, is_running: bool | None = True) -> list[str]:
    """Return the lines of a preview."""
    return sentences_of_preview(Foreseen(before=before, after=after, is_running=is_running), PLACE, ["a", "b", "c"])


def test_a_preview_says_what_changes_and_when_it_is_read() -> None:
    """Values in force, references filled in; spaces are no change."""
    old, new = view(SMTP, a="1", b="$a x", c="p,  q", inet_interfaces="all"), view(SMTP, a="2", b="$a x", c="p q")
    assert preview(old, new) == [
        "/etc/postfix/main.cf would change: a: 1 -> 2; b: 1 x -> 2 x",
        "inet_interfaces: Postfix reads this only when it is started; `up` stops and starts it, and all sessions end",
    ]
    assert preview(old, old) == []
    assert preview(old, old, is_running=False)[0].startswith("no Postfix runs with this configuration")
    assert preview(old, old, is_running=None) == ["whether Postfix runs with this configuration cannot be told"]
    added = view(SMTP, MasterService(name="smtps", type="inet", command="smtpd"), a="1", b="$a x", c="p q")
    assert preview(view(SMTP, a="1", b="$a x", c="p q"), added) == ["smtps/inet: a new listener, which a reload opens"]
    (long,) = preview(view(SMTP, a="x" * 1000), view(SMTP))
    assert len(long) < 300


def test_a_preview_says_that_postfix_will_be_reloaded_where_nothing_else_is_said() -> None:
    """A change of rows asks nothing of the host, not even whether Postfix runs."""
    old, new = view(SMTP, inet_interfaces="all"), view(SMTP, inet_interfaces="loopback-only")
    running = Foreseen(before=old, after=old, is_running=True)
    assert ending_in_words(running, is_read=True) == "Postfix will be reloaded"
    assert ending_in_words(Foreseen(), is_read=True) == "Postfix will be reloaded, if it runs"
    assert (
        ending_in_words(replace(running, is_running=False), is_read=True) == "no Postfix runs there that would read it"
    )
    assert ending_in_words(replace(running, after=new), is_read=True) == "Postfix will be stopped and started"
    assert ending_in_words(running, is_read=False) == "Postfix goes on as it is"


def test_a_preview_names_a_declared_parameter_that_the_postfix_there_does_not_know() -> None:
    """As `up` would be refused; not one that stands in main.cf already, which is no new fault."""
    here = FileEntry("main.cf", b"# nobody = 1\nsomebody = 2\n", 0o644)
    foreseen = Foreseen(before=view(SMTP), after=view(SMTP, a="1"), is_running=True)
    names = ["a", "nobody", "somebody"]
    (told,) = sentences_of_unknown(foreseen, PLACE, names, here)
    assert told.startswith("up will refuse this: /etc/postfix/main.cf: nobody: the Postfix of this host does not know")
    assert [*sentences_of_unknown(foreseen, PLACE, ["a"], None)] == []
    assert [*sentences_of_unknown(Foreseen(), PLACE, names, here)] == []


def test_a_preview_says_that_a_queue_does_not_move_below_a_running_postfix() -> None:
    """What is queued would stay behind; a Postfix that is stopped may have another queue."""
    moved = Foreseen(before=view(SMTP, queue_directory="/a"), after=view(SMTP, queue_directory="/b"), is_running=True)
    (told,) = sentences_of_moved_queue(moved, PLACE)
    assert told.startswith("up will refuse this: /etc/postfix/main.cf: queue_directory: /a -> /b while Postfix runs")
    assert [*sentences_of_moved_queue(replace(moved, is_running=False), PLACE)] == []
    assert [*sentences_of_moved_queue(replace(moved, after=moved.before), PLACE)] == []
    assert [*sentences_of_moved_queue(Foreseen(), PLACE)] == []


def test_a_preview_names_the_rows_that_go() -> None:
    """How many, and the first of them; a row in another spelling stays."""
    before = {CLIENTS: b"# two\naa:bb\talice\n" + b"".join(b"%d:AB client %d\n" % (each, each) for each in range(4))}
    assert rows_that_go(before, {CLIENTS: b"AA:BB alice\n"}) == [
        f"{CLIENTS}: 4 rows go: 0:AB client 0; 1:AB client 1; 2:AB client 2 and 1 more"
    ]
    assert rows_that_go({CLIENTS: ROW}, {CLIENTS: b""}) == [f"{CLIENTS}: a row goes: AA:BB alice"]
    assert rows_that_go({CLIENTS: ROW}, {}) == rows_that_go({}, {CLIENTS: ROW}) == []


def test_a_change_says_its_parameters_and_in_a_file_of_ours_all() -> None:
    """What was ours and goes is no value that follows another; nor is a table that lies where ours will."""
    before = HostConfiguration(
        written={"own": "1", CLIENTS: f"hash:{PLACE}/{CLIENTS}"}, parameters={CLIENTS: f"hash:{PLACE}/{CLIENTS}"}
    )
    after = HostConfiguration(written={"new": "2"})
    situation = Situation(root=PLACE)
    merged = changed_names(files(), Deployed(parameters=("was",)), situation, (before, after))
    assert merged == (frozenset({"biff", "was"}), frozenset({"was", CLIENTS}))
    whole = files(files=(FileEntry("main.cf", b"", 0o644),), parameters={})
    elsewhere = HostConfiguration(written={"own": "1"}, parameters={CLIENTS: "hash:/elsewhere"})
    first = changed_names(whole, Deployed(), situation, (elsewhere, after))
    assert first == (frozenset({"own", "new"}), frozenset())
    again = changed_names(whole, Deployed(files={"main.cf": "x"}), situation, (elsewhere, after))
    assert again[1] == {"own"}


@pytest.mark.parametrize(("mode", "lines"), [(0o644, 0), (0o755, 0), (0o664, 1), (0o646, 1), (0o666, 1)])
def test_of_a_configuration_that_others_may_write_to_a_reader_is_told(mode: int, lines: int) -> None:
    """Whoever may can decide who relays; it was so before, and nothing of ours makes it worse."""
    files = {"main.cf": MAIN_CF, "master.cf": replace(MASTER_CF, mode=mode), ".postseal-kept.main.cf": MAIN_CF}
    way = f"chmod go-w {PLACE}/master.cf"
    told = [f"{PLACE}/master.cf: others than its owner may write to it (mode {mode:04o}); {way}"]
    assert list(sentences_of_open_files(files, PLACE)) == told * lines


def test_visitors_have_a_fingerprint_of_each_digest_that_is_in_use() -> None:
    """In pairs of hexadecimal digits, as many as the digest has, of certificate and key; nobody shares one."""
    prints = [visitor.prints for visitor in visitors_from("203.0.113.7", "nonce", has_clients=True)]
    known = known_parameters()["smtpd_tls_fingerprint_digest"].allowed
    for each in prints:
        assert {*each} == {"md5", "sha1", "sha224", "sha256", "sha384", "sha512"} <= {*known}
        for name, pair in each.items():
            size = hashlib.new(name, usedforsecurity=False).digest_size
            assert all(re.fullmatch(f"([0-9A-F]{{2}}:){{{size - 1}}}[0-9A-F]{{2}}", text) for text in pair)
    texts = [text for each in prints for pair in each.values() for text in pair]
    assert len({*texts}) == len(texts)
