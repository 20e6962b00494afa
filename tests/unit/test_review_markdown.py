"""Nothing that a stack file says becomes markup in a review: no HTML, no link, nobody is called."""

from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from postseal.review.markdown import render_markdown
from postseal.review.model import Difference, HostReview, Review

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
