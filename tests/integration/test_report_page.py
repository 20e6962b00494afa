"""The HTML page in a real browser: layout, colours, filter, and no request to anywhere."""

import html
import json
import re
import shutil
import struct
import subprocess
import zlib
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from postseal.report.inventory import build_inventory
from postseal.report.page import PageAssets, render_page
from tests.support.stack_state import NOW, day, large_stack, mail_stack
from tests.support.stored_hosts import host_row, stored_host

pytestmark = pytest.mark.needs_browser

NARROW, WIDE, HEIGHT = 390, 1400, 2400
LIGHT = {"background": (247, 246, 243), "expired": (179, 38, 30), "ok": (43, 122, 112)}
DARK = {"background": (20, 23, 26), "expired": (255, 138, 128), "ok": (98, 191, 177)}
DARK_MODE = "--blink-settings=preferredColorScheme=0"
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-device-scale-factor=1",
]

# Loads the page into a frame of a given width, looks at it from outside, and leaves what it saw in its own document.
HARNESS = """<!doctype html><iframe id=frame width={width} height={height} style="border:0" srcdoc="{page}"></iframe>
<pre id=seen></pre><script>
const seen = {{}};
document.getElementById("frame").addEventListener("load", (event) => {{
  const window = event.target.contentWindow, page = window.document;
  const visible = () => [...page.querySelectorAll(".group:not(.host) tbody tr")].filter((row) => !row.hidden).length;
  const hosts = () => [...page.querySelectorAll(".host")].filter((host) => !host.hidden).map((host) => ({{
    name: host.querySelector("h3").textContent,
    rows: [...host.querySelectorAll("tbody tr")].filter((row) => !row.hidden).length,
    isOpen: host.open,
  }}));
  const box = (element) => {{ const r = element.getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom]; }};
  const bar = (name) => page.querySelector(`[aria-label^="${{name}},"] .fresh`);
  seen.contentWidth = page.documentElement.scrollWidth;
  seen.requests = window.performance.getEntriesByType("resource").map((entry) => entry.name);
  seen.bars = Object.fromEntries(["carol", "mx1", "mail-root"].filter(bar).map((name) => [name, box(bar(name))]));
  seen.tiles = [...page.querySelectorAll(".tile")].map(box);
  seen.today = [...page.querySelectorAll(".today line")].map(box);
  seen.rows = visible();
  const input = page.querySelector("input");
  input.value = "{typed}";
  input.dispatchEvent(new window.Event("input"));
  setTimeout(() => {{
    seen.filtered = visible();
    seen.hosts = hosts();
    seen.message = page.querySelector("output").value;
    input.value = "";
    page.querySelector("[data-state=overdue]").click();
    setTimeout(() => {{
      seen.overdue = visible();
      document.getElementById("seen").textContent = JSON.stringify(seen);
    }}, 300);
  }}, 300);
}});
</script>"""


def page_of(state: object) -> str:
    """Return the page of a stack's state."""
    inventory, package = build_inventory(state, NOW), files("postseal.report")
    assets = PageAssets(*(package.joinpath(name).read_text("utf-8") for name in ("page.css", "page.js")))
    return render_page(inventory, inventory.items, assets)


def browse(directory: Path, document: str, *options: str) -> tuple[str, str]:
    """Open a document in a browser of its own; return what it prints and the messages of the page's console."""
    path = directory / "document.html"
    path.write_text(document, "utf-8")
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    profile = f"--user-data-dir={directory / 'profile'}"
    done = subprocess.run(
        [program, *QUIET, "--enable-logging=stderr", profile, *options, path.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout, "\n".join(line for line in done.stderr.splitlines() if "CONSOLE" in line)


def look(directory: Path, page: str, width: int, typed: str = "") -> dict[str, Any]:
    """Return what the harness sees of the page at a width."""
    harness = HARNESS.format(width=width, height=HEIGHT, page=html.escape(page), typed=typed)
    printed, console = browse(directory, harness, "--virtual-time-budget=5000", "--dump-dom")
    assert console == ""
    found = re.search(r"<pre id=\"seen\">(\{.*?\})</pre>", printed)
    assert found, "the page's load event was not seen"
    seen: dict[str, Any] = json.loads(html.unescape(found[1]))
    return seen


class Picture:
    """The pixels of an 8-bit PNG without interlacing (the PNG specification, sections 9 and 11.2)."""

    def __init__(self, png: bytes) -> None:
        self.width, self.height, depth, kind = struct.unpack(">IIBB", png[16:26])
        assert (depth, kind in (2, 6)) == (8, True)
        self._channels = 3 if kind == 2 else 4
        self.rows = self._unfilter(zlib.decompress(b"".join(self._data(png))))

    def at(self, x: float, y: float) -> tuple[int, int, int]:
        """Return the colour of the pixel at a place."""
        start = int(x) * self._channels
        red, green, blue = self.rows[int(y)][start : start + 3]
        return red, green, blue

    @staticmethod
    def _data(png: bytes) -> list[bytes]:
        chunks, position = [], 8
        while position < len(png):
            (length,) = struct.unpack(">I", png[position : position + 4])
            if png[position + 4 : position + 8] == b"IDAT":
                chunks.append(png[position + 8 : position + 8 + length])
            position += length + 12
        return chunks

    def _unfilter(self, raw: bytes) -> list[bytearray]:
        stride, step = self.width * self._channels, self._channels
        above, rows = bytearray(stride), []
        for start in range(0, len(raw), stride + 1):
            row = bytearray(raw[start + 1 : start + 1 + stride])
            method = raw[start]
            for index in range(stride) if method else ():
                left = row[index - step] if index >= step else 0
                corner = above[index - step] if index >= step else 0
                row[index] = (row[index] + predict(method, left, above[index], corner)) & 0xFF
            rows.append(row)
            above = row
        return rows


def predict(method: int, left: int, up: int, corner: int) -> int:
    """Return what a PNG filter predicts for a byte."""
    if method < 4:
        return (0, left, up, (left + up) // 2)[method]
    estimate = left + up - corner
    return min((abs(estimate - left), 0, left), (abs(estimate - up), 1, up), (abs(estimate - corner), 2, corner))[2]


def middle(box: list[float]) -> tuple[float, float]:
    """Return a place within a bar, left of its renewal point."""
    left, top, right, bottom = box
    return left + (right - left) * 0.4, (top + bottom) / 2


@pytest.mark.parametrize(("colors", "options"), [(LIGHT, ()), (DARK, (DARK_MODE,))], ids=["light", "dark"])
def test_bars_have_the_colours_of_their_states_in_light_and_dark(
    colors: dict[str, tuple[int, int, int]], options: tuple[str, ...], tmp_path: Path
) -> None:
    """The page is drawn, on its own background, and an expired bar is red where a fine one is green."""
    page, target = page_of(mail_stack()), tmp_path / "page.png"
    browse(tmp_path, page, f"--window-size={WIDE},{HEIGHT}", f"--screenshot={target}", *options)
    picture = Picture(target.read_bytes())
    bars = look(tmp_path, page, WIDE)["bars"]
    assert (picture.width, picture.height) == (WIDE, HEIGHT)
    assert picture.at(2, 2) == colors["background"]
    assert picture.at(*middle(bars["carol"])) == colors["expired"]
    assert picture.at(*middle(bars["mx1"])) == colors["ok"]


def with_hosts(state: Any, clients: int) -> dict[str, Any]:
    """Return a state with two hosts that let the same clients in, and one with a row of its own."""
    dates: dict[str, Any] = {"since": day(-100), "until": day(265)}
    rows = [host_row(f"client-{index:05d}", roster="branches", **dates) for index in range(clients)]
    own = host_row("<img src=//x.example/y>" + "w" * 200, since=day(-100), until=day(-1))
    name = f"mx3.{'long-' * 20}example.org"
    hosts = [
        stored_host("mx1", rows=rows, proven_at=day(-2)),
        stored_host("mx2", rows=rows),
        stored_host(name, rows=[own], proven_at=day(-400), main_cf={"mynetworks": "127.0.0.0/8 " * 40}),
    ]
    return {"deployment": {"resources": [*state["deployment"]["resources"], *hosts]}}


@pytest.mark.parametrize("width", [NARROW, 768, WIDE])
def test_page_fits_its_window_and_asks_nobody(width: int, tmp_path: Path) -> None:
    """From a phone to a wide screen nothing sticks out, the console stays empty, and no request is made."""
    seen = look(tmp_path, page_of(with_hosts(mail_stack(), 3)), width)
    assert seen["contentWidth"] == width
    assert seen["requests"] == []
    assert all(left >= 0 and right <= width for left, _, right, _ in seen["tiles"])
    assert len({top for _, top, _, _ in seen["tiles"]}) == (2 if width == NARROW else 1)


def test_lines_of_today_stand_where_the_bars_say(tmp_path: Path) -> None:
    """The bar of mx1 began 100 days ago and turns in 143: today lies at 41 percent of it."""
    seen = look(tmp_path, page_of(mail_stack()), WIDE)
    left, _, right, _ = seen["bars"]["mx1"]
    assert seen["today"][1][0] == pytest.approx(left + (right - left) * 100 / (365 * 2 / 3), abs=1)


def test_filter_narrows_ten_thousand_rows(tmp_path: Path) -> None:
    """Words and states filter together, and the page says how many of how many are shown."""
    seen = look(tmp_path, page_of(large_stack(10_000)), NARROW, typed="client-0012 branch")
    assert seen["contentWidth"] == NARROW
    assert seen["rows"] == 10_001
    assert seen["filtered"] == 10
    assert seen["message"] == "10 of 10,001"
    assert seen["overdue"] == 1000


def test_filter_finds_a_client_on_each_host_that_lets_it_in(tmp_path: Path) -> None:
    """Among ten thousand, of whom two hosts have the same rows; the third host has none of that name."""
    page = page_of(with_hosts(large_stack(10_000), 10_000))
    assert len(page) < 5_000_000
    seen = look(tmp_path, page, NARROW, typed="client-00123")
    assert seen["contentWidth"] == NARROW
    assert seen["hosts"] == [{"name": "mx1", "rows": 1, "isOpen": True}, {"name": "mx2", "rows": 0, "isOpen": True}]
    assert seen["message"] == "1 of 10,001, and 2 rows of hosts"
    assert seen["requests"] == []


@pytest.mark.parametrize(
    ("typed", "found"),
    [("mx2 00001", {"mx1": 1, "mx2": 0}), ("mx1", {"mx1": 3}), ("400 d ago", {"mx3": 0}), ("nemo", {})],
)
def test_filter_finds_hosts_by_what_stands_on_them(typed: str, found: dict[str, int], tmp_path: Path) -> None:
    """By name, by a name with a client, and by what is said of a host, as the age of its proof."""
    seen = look(tmp_path, page_of(with_hosts(mail_stack(), 3)), WIDE, typed=typed)
    assert {each["name"].split(".")[0]: each["rows"] for each in seen["hosts"]} == found
