"""The HTML page as a document; a browser looks at it in the integration tests."""

import base64
import hashlib
import re
from functools import cache
from html.parser import HTMLParser
from importlib.resources import files

import pytest

from postseal.report.inventory import build_inventory
from postseal.report.model import Inventory
from postseal.report.page import PageAssets, render_page
from tests.support.stack_state import NOW, accepted_of, certificate, export, mail_stack, waiting

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
