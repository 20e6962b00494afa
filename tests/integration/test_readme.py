"""The README's first screen works as it stands, and no link between the documents leads nowhere."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urldefrag

import pytest

from pki.lifetime import begin_of
from postseal_core.instants import format_instant, parse_instant
from tests.support.engine import REPOSITORY, Result, Stack, copy_project, write_project

FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?:\]\(|(?:src|srcset)=\")(?P<target>[^)\"\s]+)")
HEADING = re.compile(r"^#+ +(?P<title>.+)$", re.MULTILINE)
DOCUMENTS = sorted(
    [*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md"), *REPOSITORY.glob("examples/*/*.md")]
)
CREATED = (
    "Certificate::{authority}",
    "ClientCertificate::alice",
    "ClientCertificate::relay2",
    "ServerCertificate::mx1",
    "{host}::mx1",
)


def block(language: str) -> str:
    """Return the only code block of a language in the README."""
    readme = (REPOSITORY / "README.md").read_text()
    (text,) = (match["text"] for match in FENCE.finditer(readme) if match["language"] == language)
    return text


def missing(preview: Result, *, authority: str, host: str) -> list[str]:
    """Return what a successful preview was expected to create and does not show."""
    shown = preview.expect_success().stdout
    return [name for each in CREATED if (name := each.format(authority=authority, host=host)) not in shown]


@pytest.mark.needs_engine
def test_the_stack_file_of_the_readme_previews(new_stack: Callable[..., Stack], tmp_path: Path) -> None:
    """The repository's program takes the README's stack file, and would make what its lines say."""
    stack = new_stack(copy_project(REPOSITORY, tmp_path / "project"))
    stack_file = stack.project / "stacks/Pulumi.test.yaml"
    stack_file.write_text(stack_file.read_text() + block("yaml"))
    preview = stack.preview(diff=True)
    assert missing(preview, authority="authority", host="PostfixHost") == []
    assert "Pkcs12::alice" in preview.stdout


@pytest.mark.needs_engine
def test_a_look_at_another_day_leaves_the_stack_file_as_it_is(new_stack: Callable[..., Stack], tmp_path: Path) -> None:
    """The README's words show that day from a copy of the stack file; on that copy nothing can be brought up."""
    readme = (REPOSITORY / "README.md").read_text()
    options = re.search(r"`pulumi preview --config-file (?P<copy>\S+) --config (?P<clock>\S+?)`", readme)
    assert options
    stack = new_stack(copy_project(REPOSITORY, tmp_path / "project"))
    stack_file, then = stack.project / "stacks/Pulumi.test.yaml", tmp_path / Path(options["copy"]).name
    stack_file.write_text((REPOSITORY / "stacks/Pulumi.dev.yaml").read_text())
    then.write_bytes(before := stack_file.read_bytes())
    preview = stack.preview("--config-file", str(then), "--config", options["clock"], diff=True).expect_success()
    begin = format_instant(begin_of(parse_instant(options["clock"].partition("=")[2])))
    assert f'not_before : "{begin}"' in re.sub(r" +:", " :", preview.stdout)
    assert stack_file.read_bytes() == before
    refused = stack.up("--config-file", str(then))
    assert not refused.is_success
    assert "postseal:clock: is set to" in str(refused)


@pytest.mark.needs_engine
def test_the_program_of_the_readme_previews(new_stack: Callable[..., Stack], tmp_path: Path) -> None:
    """The README's program runs as it stands, and would make what the stack file makes."""
    stack = new_stack(write_project(tmp_path / "project", block("python")))
    assert missing(stack.preview(diff=True), authority="mail-ca", host="MailServer") == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_every_link_leads_somewhere(document: Path) -> None:
    """Files that a document links to or shows exist, and so do the headings that a link names."""
    assert list(broken_links(document)) == []


def broken_links(document: Path) -> Iterator[str]:
    """Yield the links of a document that lead nowhere; addresses of other sites are not visited."""
    text = FENCE.sub("", document.read_text())
    for target in (match["target"] for match in LINK.finditer(text)):
        path, heading = urldefrag(target)
        file = document.parent / path if path else document
        if ":" in path or (file.exists() and not heading):
            continue
        if not file.exists() or heading not in anchors(file):
            yield target


def anchors(document: Path) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a document."""
    titles = (match["title"].lower() for match in HEADING.finditer(FENCE.sub("", document.read_text())))
    return {re.sub(r"[^\w\- ]", "", title).replace(" ", "-") for title in titles}
