"""The HTML page as a document; a browser looks at it in the integration tests."""

import base64
import hashlib
import re
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from importlib.resources import files
from typing import Any

import pytest

from pki.acceptance import Why
from pki.model import Validity
from postfix.host_resource.records import HostRow
from postfix.proving import HostEvidence
from postfix.target import Directory
from postseal.report.inventory import build_inventory
from postseal.report.model import Inventory
from postseal.report.page import PageAssets, render_page
from tests.support.stack_state import NOW, accepted_of, certificate, day, export, mail_stack, waiting
from tests.support.stored_hosts import host_row, own_certificate, stored_host

PACKAGE = files("postseal.report")
ASSETS = PageAssets(PACKAGE.joinpath("page.css").read_text("utf-8"), PACKAGE.joinpath("page.js").read_text("utf-8"))


def page_of(inventory: Inventory) -> str:
    """Return the page of a whole inventory."""
    return render_page(inventory, inventory.items, ASSETS)


class Outline(HTMLParser):
    """Collects the tags, attributes and text of a document."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text: list[str] = []
        self.feed(document)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self.text.append(data)


@cache
def whole_page() -> str:
    """Return the page of a stack."""
    return page_of(build_inventory(mail_stack(), NOW))


@cache
def outline() -> Outline:
    """Return what stands on it."""
    return Outline(whole_page())


def test_page_needs_nothing_from_outside() -> None:
    """No attribute and no style refers to anything but a place in the page itself."""
    references = [value for name, value in outline().attributes if name in ("src", "href", "srcset", "action", "data")]
    assert references
    assert all(value and value.startswith("#") for value in references)
    assert not re.search(r"url\(|@import|https?:", whole_page())


@pytest.mark.parametrize(("directive", "text"), [("style-src", ASSETS.style), ("script-src", ASSETS.script)])
def test_policy_allows_exactly_the_pages_own_style_and_script(directive: str, text: str) -> None:
    """Nothing else may act or style: the content security policy names the digests of the two and forbids the rest."""
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    policy = next(
        value for name, value in outline().attributes if name == "content" and value and "default-src" in value
    )
    assert f"{directive} 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; ")
    assert "style" not in {name for name, _ in outline().attributes}


def test_names_from_certificates_never_become_markup() -> None:
    """A hostile name, subject or roster is shown as it is."""
    hostile = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    state = export(certificate(hostile, profile="root"), certificate("b", common_name=hostile))
    outline = Outline(page_of(build_inventory(state, NOW)))
    assert outline.tags.count("script") == 1
    assert "img" not in outline.tags
    assert "".join(outline.text).count(hostile) >= 3


def test_every_entry_has_a_row_in_a_table_with_headings() -> None:
    """Each group is a table with a label and column headings, each item a row of it."""
    assert outline().tags.count("table") == 6
    assert outline().tags.count("tr") == 13 + 6
    assert outline().attributes.count(("scope", "col")) == 6 * 6


def test_every_bar_of_the_timeline_is_told_in_words() -> None:
    """Who cannot see the drawing hears state, dates and next actions."""
    labels = [value for name, value in outline().attributes if name == "aria-label" and value]
    (alice,) = (label for label in labels if label.startswith("alice"))
    assert alice == (
        "alice, due soon: valid from 2026-11-18 to 2027-11-18, retire generation 1 on 2026-12-02, renew on 2027-07-19"
    )


def test_fingerprints_are_shown_with_the_date_until_which_they_are_accepted() -> None:
    """A reader of the page can compare a fingerprint table with it, octet by octet."""
    (alice,) = (each for each in mail_stack()["deployment"]["resources"] if each["urn"].endswith("::alice"))
    _, earlier = accepted_of(alice)
    assert f"<code>{earlier}</code><small>generation 1, until 2026-12-02</small>" in whole_page()


def test_bars_are_drawn_to_scale() -> None:
    """The lengths of the two parts of a bar are in the ratio of the times they stand for."""
    page = page_of(build_inventory(export(certificate("a", renew_at=143)), NOW))
    track = page.split("<svg class=track")[1]
    late, fresh = (
        float(re.search(rf'<rect class={name} x="[\d.]+%" y="9" width="([\d.]+)%"', track)[1])  # type: ignore[index]
        for name in ("late", "fresh")
    )
    assert late / fresh == pytest.approx(122 / 243, rel=0.001)


def test_what_lies_outside_of_the_drawing_is_listed_without_a_bar() -> None:
    """What expired two years ago does not squeeze the present; its row says so."""
    gone = certificate("a", not_before=-880, not_after=-700, renew_at=-800)
    page = page_of(build_inventory(export(gone, certificate("b")), NOW))
    assert re.search(r'<svg class=track role=img aria-label="a, expired: [^"]+"></svg>', page)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (export(), "Nothing in this stack expires."),
        (export(certificate("a")), "All fine."),
        (export(certificate("a", renew_at=3)), "Nothing is overdue; 1 due within 30 days."),
        (export(waiting("p")), "1 waiting."),
        (mail_stack(), "1 expired, 2 overdue, 1 waiting, 4 due within 30 days."),
    ],
)
def test_page_begins_with_a_verdict(state: object, words: str) -> None:
    """One sentence at the top says whether somebody has to do something."""
    assert f"<p class=verdict>{words}</p>" in page_of(build_inventory(state, NOW))


SINCE = day(-100)
VALIDITY = Validity(day(-10), day(80))
TWO_WAYS = {"mynetworks": "127.0.0.0/8 10.1.0.0/16", "smtpd_relay_restrictions": "permit_sasl_authenticated reject"}


def section_of(*hosts: Any) -> str:
    """Return what the page says of hosts."""
    return page_of(build_inventory(export(*hosts), NOW)).partition("<h2>Hosts: who may relay</h2>")[2]


def test_a_host_shows_each_way_in() -> None:
    """Rows with since and until, networks, and logins, as `postseal who` has them."""
    row = host_row("alice", since=SINCE, until=day(10), roster="staff", service="submission", generation=3)
    said = section_of(stored_host("mx1", rows=[row], main_cf=TWO_WAYS, proven_at=day(-2)))
    assert (
        "<td>current<td>alice<small>roster staff, submission</small><td>2026-08-14<td class=n>3<td>2026-12-02" in said
    )
    assert "<dt>Networks<dd>127.0.0.0/8 10.1.0.0/16<dt>Login (SASL)<dd>relays<dt>Proof<dd>last proven 2 d ago" in said
    assert "proven 2 d ago</span>" in said
    assert "Nobody can tell" not in said


@pytest.mark.parametrize(
    ("row", "state", "words"),
    [
        (host_row("a", since=SINCE, until=day(0)), "overdue", "ended; listed until `up` renews it"),
        (host_row("a", since=SINCE, until=day(1), why=Why.OVERLAP), "ok", "overlap, goes with the first"),
        (host_row("a", since=SINCE, until=day(-1), why=Why.OVERLAP), "overdue", "overlap ended"),
        (host_row("a", since=SINCE, why=Why.FOREIGN, generation=None), "ok", "elsewhere"),
    ],
)
def test_a_row_that_is_not_as_usual_says_why_it_stands_there(row: HostRow, state: str, words: str) -> None:
    """What has ended and is let in all the same is counted beside the host's name."""
    said = section_of(stored_host("mx1", rows=[row], proven_at=day(-2)))
    assert f"<tr class=s-{state}>" in said
    assert words in said
    assert ("1 ended, still let in" in said) is (state == "overdue")


@pytest.mark.parametrize(
    ("host", "words"),
    [
        (stored_host("mx1"), "no run that changed it has come to its end"),
        (stored_host("mx1", target=Directory("out/mx1").record), "its files are carried there by other means"),
        (stored_host("mx1"), "<dt>Networks<dd>not set here; only the host knows<dt>Login (SASL)<dd>not set here"),
        (stored_host("mx1", outputs={"rows": None}), "mx1.rows: nobody knows who may relay there; run `pulumi up`"),
        (stored_host("mx1", outputs={"rows": "damaged"}), "who may relay cannot be read"),
        (stored_host("mx1", outputs={"target": 7}), "cannot be read: mx1.target"),
        (
            stored_host("mx1", proven_at=HostEvidence(proven_at=NOW, trial="not tried: no port is free")),
            "the trial run was not tried: no port is free",
        ),
        (
            stored_host("mx1", sighting=replace(own_certificate(VALIDITY, NOW), cannot_tell="the file is not ours")),
            "cannot tell what certificate this host has: the file is not ours",
        ),
    ],
)
def test_what_nobody_can_tell_of_a_host_is_said(host: Any, words: str) -> None:
    """It is never a no, and never keeps the rest of the report from being made."""
    assert words in section_of(host, certificate("b"))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, "never proven</span>"),
        ({"proven_at": NOW}, "proven today</span>"),
        ({"target": Directory("out/mx1").record}, "<span>a directory, proven nowhere</span>"),
    ],
)
def test_the_age_of_a_proof_stands_beside_the_name(more: dict[str, Any], words: str) -> None:
    """That a directory has none is no doubt about a Postfix: nobody can prove what others carry away."""
    assert words in section_of(stored_host("mx1", **more)).partition("</summary>")[0]


def test_a_fault_of_a_host_is_in_the_verdict_and_beside_its_name() -> None:
    """The page never begins with "All fine" above it."""
    page = page_of(build_inventory(export(stored_host("mx1", sighting=own_certificate(VALIDITY, NOW, "gone"))), NOW))
    assert "<p class=verdict>1 host with a certificate at fault.</p>" in page
    assert "certificate of its own at fault" in page
    assert "<dt>At fault<dd>gone" in page


def test_hosts_with_the_same_rows_share_them() -> None:
    """The page of many hosts with one roster is not that many times as long; other dates are other rows."""
    rows = [host_row(f"c{number}", since=SINCE) for number in range(50)]
    other = [host_row(f"c{number}", since=day(-99)) for number in range(50)]
    said = section_of(stored_host("a", rows=rows), stored_host("b", rows=rows), stored_host("c", rows=other))
    assert said.count("<td>c7<td>") == 2
    assert "data-same=0><summary><h3>b</h3><span class=count>50 clients by certificate" in said
    assert "the same rows as a, above" in said


def test_rows_beyond_what_a_page_can_hold_are_counted_and_not_lost() -> None:
    """The host says how many it lets in, and which command lists them."""
    hosts = [
        stored_host(name, rows=[host_row(f"{name}{number}", since=SINCE) for number in range(count)])
        for name, count in (("a", 900), ("b", 101), ("c", 30_001))
    ]
    full, cut = section_of(hosts[0]), section_of(*hosts)
    assert full.count("<code>AB:CD:") == 900
    assert "<code>AB:CD:" not in cut
    assert "30,001 clients by certificate" in cut
    assert "<code>postseal who --host c</code>" in cut
    assert "<td>c7<td>" not in cut


def test_names_of_hosts_and_of_their_clients_never_become_markup() -> None:
    """Whatever somebody has called them, or written in a declaration."""
    hostile = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    host = stored_host(
        hostile,
        rows=[host_row(hostile, since=SINCE, roster=hostile, service=hostile, fingerprint=hostile)],
        main_cf={"mynetworks": hostile},
        to_review={hostile: hostile},
        proven_at=HostEvidence(proven_at=NOW, trial=hostile),
    )
    page = page_of(build_inventory(export(host, stored_host(f"b{hostile}", outputs={"target": 7})), NOW))
    outline = Outline(page)
    assert (outline.tags.count("script"), outline.tags.count("img")) == (1, 0)
    text = "".join(outline.text)
    assert text.count("alert(1)</script>") >= 8
    assert f"cannot be read: b{hostile}.target" in text
