"""docs/audit.md, word by word: its files are laid down, its commands run, and it shows what they say."""

import os
import re
import shutil
from pathlib import Path

from postfix.audit.kinds import Kind, Severity
from tests.support.engine import REPOSITORY, run_limited

PAGE = (REPOSITORY / "docs/audit.md").read_text(encoding="utf-8")
FILE = re.compile(r"^```ini\n# (?P<name>\S+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ (.*)$", re.MULTILINE)
SHOWN = re.compile(r"^it says, among other things:\n\n```\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WRITTEN_AT = 1_700_000_000


def test_the_page_is_a_run(tmp_path: Path) -> None:
    """The command finds an error, and says each line that the page shows, in that order."""
    for match in FILE.finditer(PAGE):
        path = tmp_path / match["name"]
        path.parent.mkdir(exist_ok=True)
        path.write_text(match["text"])
        os.utime(path, (WRITTEN_AT, WRITTEN_AT))
    (command,) = COMMAND.findall(PAGE)
    (shown,) = SHOWN.findall(PAGE)
    assert shutil.which("postseal", path=str(REPOSITORY / ".venv/bin"))
    path = f"{REPOSITORY}/.venv/bin:{os.environ['PATH']}"
    done = run_limited(["bash", "-c", command], tmp_path, {**os.environ, "PATH": path}, 60)
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
