"""docs/audit.md and docs/adopt.md, word by word: files are laid down, commands run, and the pages show what is said."""

import os
import re
from pathlib import Path

from postfix.audit.kinds import Kind, Severity
from tests.support.engine import REPOSITORY, Result, run_limited

PAGE = (REPOSITORY / "docs/audit.md").read_text(encoding="utf-8")
FILE = re.compile(r"^```ini\n# (?P<name>\S+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
# Others ask a host elsewhere.
COMMAND = re.compile(r"^\$ (postseal .* --copy-of .*)$", re.MULTILINE)
SHOWN = re.compile(r"^it says, among other things:\n\n```\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WRITTEN_AT = 1_700_000_000


def run(page: str, place: Path) -> Result:
    """Lay down the files of a page, run its command there, and return what it said."""
    for match in FILE.finditer(page):
        path = place / match["name"]
        path.parent.mkdir(exist_ok=True)
        path.write_text(match["text"])
        os.utime(path, (WRITTEN_AT, WRITTEN_AT))
    (command,) = COMMAND.findall(page)
    search_path = f"{REPOSITORY}/.venv/bin:{os.environ['PATH']}"
    return run_limited(["bash", "-c", command], place, {**os.environ, "PATH": search_path}, 60)


def test_the_page_on_adoption_is_a_run(tmp_path: Path) -> None:
    """The command writes the entries that the page shows, behind comments."""
    page = (REPOSITORY / "docs/adopt.md").read_text(encoding="utf-8")
    assert run(page, tmp_path).is_success
    comments, _, body = (tmp_path / "mx1.yaml").read_text().partition("config:\n")
    (shown,) = re.findall(r"^```yaml\nconfig:\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert body == shown
    assert all(line.startswith("#") for line in comments.splitlines())
    assert "smtpd_relay_restrictions: " in comments


def test_the_page_is_a_run(tmp_path: Path) -> None:
    """The command finds an error, and says each line that the page shows, in that order."""
    (shown,) = SHOWN.findall(PAGE)
    done = run(PAGE, tmp_path)
    said = [" ".join(line.split()) for line in done.stdout.splitlines()]
    promised = [" ".join(line.split()) for line in joined(shown)]
    assert [line for line in promised if line not in said] == []
    assert [said.index(line) for line in promised] == sorted(said.index(line) for line in promised)
    assert done.returncode == 2


def joined(text: str) -> list[str]:
    """Return the lines of a block; a page folds long ones with two blanks in front of what goes on."""
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith("    ") and not re.match(r"\s+(why|fix): ", line):
            lines[-1] += f" {line.strip()}"
        else:
            lines.append(line)
    return lines


def test_the_page_lists_all_kinds() -> None:
    """The worst first; where a kind is added, this says what belongs between the marks."""
    rows = [
        f"| `{kind}` | {kind.severity} | {kind.why} | {kind.source} |"
        for severity in Severity
        for kind in Kind
        if kind.severity is severity
    ]
    table = "\n".join(["| kind | | why | source |", "|---|---|---|---|", *rows])
    assert PAGE.partition("<!-- generated: kinds -->\n\n")[2].partition("\n\n<!-- end -->")[0] == table
