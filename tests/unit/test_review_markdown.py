"""Nothing that a stack file says becomes markup in a review: no HTML, no link, nobody is called."""

import json
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest

from postseal.ledger.records import HostLedger
from postseal.review.headline import headline
from postseal.review.json_document import render_json
from postseal.review.markdown import LONGEST, render_markdown
from postseal.review.model import Difference, ExitCode, HostReview, Review
from postseal.review.text import render_text
from postseal_core.errors import Problem

AT = datetime(2026, 5, 4, 9, tzinfo=UTC)


def told(value: str) -> str:
    """Return the line of a review about a parameter with this value."""
    host = HostReview("mx1", "", None, None, is_changed=True, differences=(Difference("main.cf", "x", "", value),))
    text = render_markdown(Review("p", "s", AT, hosts=(host,)))
    return next(line for line in text.splitlines() if line.startswith("- **main.cf: x:**"))


@pytest.mark.parametrize("ticks", ["", "`", "``", "```", "` ``", "`` ` ```"])
def test_a_value_stays_in_its_code(ticks: str) -> None:
    """Its fence is longer than any that others write into it: what is behind would be HTML."""
    line = told(f"a {ticks} <details> {ticks} b")
    fence = line.rpartition(" → ")[2].partition(" " if ticks else "a")[0]
    assert set(fence) == {"`"}
    assert fence not in ticks.split()
    assert line.endswith(fence)
    assert line.count("<details>") == 1


class _Text(HTMLParser):
    """The text of a line of which nothing may be an element; a comment parts it."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        raise AssertionError(tag)


@pytest.mark.parametrize(
    ("said", "joined"),
    [
        ("see https://example.org/a", "https:"),
        ("see HTTP://example.org", "HTTP:"),
        ("see www.example.org", "www."),
        ("as #12 says", "#1"),
        ("asks @team", "@team"),
    ],
)
def test_what_would_become_a_link_by_itself_is_parted(said: str, joined: str) -> None:
    """A sentence of the plugin quotes what was declared; who reads it is not led anywhere."""
    text = render_markdown(Review("p", "s", AT, notes=(said,)))
    (line,) = (each for each in text.splitlines() if each.startswith("- "))
    reader = _Text()
    reader.feed(line.replace("\\", ""))
    assert not any(joined in piece for piece in reader.pieces)
    assert "".join(reader.pieces) == f"- {said}"


def host(networks: tuple[str, ...], **more: Any) -> HostReview:
    """Return a host of which everything is new."""
    place = more.pop("place", "directory out/prod/mx1/postfix")
    ledger = HostLedger(host="mx1", place=place, networks=networks, has_login=more.pop("has_login", False))
    return HostReview("mx1", "mx1.example.org", None, ledger, **{"is_changed": True, **more})


def test_settings_that_no_review_can_judge_stand_before_everything_else() -> None:
    """Then nobody is told that nothing changes, by text, JSON or exit code; without them it is the control."""
    review = Review("p", "s", AT, unread=("the stack file: environment", "config: `x`"))
    text = render_markdown(review)
    assert text.split("\n\n")[1] == (
        "**Settings of the engine differ, of which a review cannot tell what they do: the stack file: environment, "
        "config: \\`x\\`.**"
    )
    assert "Nothing changes" not in text + render_text(review)
    assert "the stack file: environment" in render_text(review)
    assert json.loads(render_json(review))["unread_settings"] == ["the stack file: environment", "config: `x`"]
    assert review.exit_code is ExitCode.CHANGES
    nothing = Review("p", "s", AT)
    assert "**Nothing changes.**" in render_markdown(nothing)
    assert json.loads(render_json(nothing))["unread_settings"] == []
    assert nothing.exit_code is ExitCode.NOTHING


def test_a_mistake_of_a_megabyte_leaves_room_for_the_others() -> None:
    """Both its place and its sentence are cut; the next one is told whole."""
    long = Problem("a" * 1_000_000, "b" * 1_000_000)
    text = render_markdown(Review("p", "s", AT, problems=(long, Problem("clients.bob", "is wrong"))))
    assert len(text) < LONGEST / 10
    assert "- **clients.bob:** is wrong" in text
    assert f"- **{'a' * 300}:** {'b' * 1_500}\n" in text


def test_of_many_networks_the_first_are_told_and_the_rest_is_counted() -> None:
    """In the headline, of the host that changes, and of one that stays; whoever logs in is told before all of them."""
    many = tuple(f"192.0.2.{number}/32" for number in range(200))
    changed = host(many, has_login=True)
    told = dict(headline(Review("p", "s", AT, hosts=(changed,)), 3))
    opened = "who logs in on mx1, 192.0.2.0/32 on mx1, 192.0.2.1/32 on mx1 and 198 more"
    assert told["May relay after this, not before"] == f"without any certificate {opened}"
    assert "192.0.2.2/32 and 197 more" in told["Networks that relay without a certificate on mx1"]
    text = render_markdown(Review("p", "s", AT, hosts=(changed,)))
    assert "192.0.2.39/32 and 160 more; login" in text
    assert "192.0.2.150/32" not in text
    same = render_markdown(Review("p", "s", AT, hosts=(host(many, is_changed=False), host((), written=("a",)))))
    assert "; networks 192.0.2.0/32" in same
    assert "192.0.2.39/32 and 160 more" in same


@pytest.mark.parametrize("member", ["written", "removed", "place"])
def test_a_backtick_in_a_path_ends_no_code(member: str) -> None:
    """What is behind it would be HTML."""
    path = "a`<img src=x>`b"
    more: dict[str, Any] = {"place": f"directory {path}"} if member == "place" else {member: (path,)}
    text = render_markdown(Review("p", "s", AT, hosts=(host((), reading="Postfix **reloads**", **more),)))
    assert f"`` {path} ``" in text
    assert text.count("<img") == text.count(f"`` {path} ``")
