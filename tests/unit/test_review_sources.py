"""Stack files of this directory and of revisions in git, with the files that they name."""

import subprocess
from pathlib import Path

import pytest

from postseal.review.sources import open_stack_file, source_of, unread_settings
from postseal_core.errors import ConfigError

STACK = "config:\n  mail-pki:rosters:\n    staff: { file: staff.csv }\n"


def git(place: Path, *arguments: str) -> str:
    """Run git in a directory, with nobody's settings."""
    settings = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *settings, *arguments], cwd=place, capture_output=True, check=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a repository whose project lies in a directory of it, with two revisions of a roster."""
    git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    project = tmp_path / "mail"
    (project / "stacks").mkdir(parents=True)
    (project / "Pulumi.yaml").write_text("name: mail-pki\nruntime: python\nstackConfigDir: stacks\n")
    (project / "stacks/Pulumi.prod.yaml").write_text(STACK)
    (project / "staff.csv").write_text("name,email\nalice,alice@example.org\n")
    (tmp_path / "outside.csv").write_text("name\n")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "first")
    (project / "staff.csv").write_text("name,email\nbob,bob@example.org\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def rows(named: str) -> str:
    """Return the roster that belongs to a stack file."""
    return source_of(open_stack_file("--to", named), "mail-pki").files["staff.csv"].text


@pytest.mark.usefixtures("repository")
def test_a_revision_has_the_files_of_its_own_tree() -> None:
    """The roster of the main branch is compared with that of the work tree, not with itself."""
    assert "alice" in rows("main:mail/stacks/Pulumi.prod.yaml")
    assert "bob" in rows("mail/stacks/Pulumi.prod.yaml")


def test_a_path_may_begin_where_the_command_runs(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `git show` takes it."""
    monkeypatch.chdir(repository / "mail")
    assert "alice" in rows("main:./stacks/Pulumi.prod.yaml")


@pytest.mark.usefixtures("repository")
def test_project_and_stack_are_named_by_the_tree() -> None:
    """In a revision as on disk; both have the same place."""
    ours, theirs = (open_stack_file("--to", f"{each}mail/stacks/Pulumi.prod.yaml") for each in ("", "HEAD:"))
    assert (ours.project, ours.stack) == (theirs.project, theirs.stack) == ("mail-pki", "prod")
    assert ours.place == theirs.place


def test_no_file_stands_in_for_a_revision(repository: Path) -> None:
    """A pull request from elsewhere may bring any file; what has a colon is a revision unless it begins with a dot."""
    (repository / "main:mail/stacks").mkdir(parents=True)
    (repository / "main:mail/stacks/Pulumi.prod.yaml").write_text("config: {mail-pki:out: forged}\n")
    assert "mail-pki:rosters" in open_stack_file("--from", "main:mail/stacks/Pulumi.prod.yaml").text.values
    assert "mail-pki:out" in open_stack_file("--from", "./main:mail/stacks/Pulumi.prod.yaml").text.values


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("main:mail/none.yaml", "is not there at"),
        ("nowhere:mail/stacks/Pulumi.prod.yaml", "git cannot read it"),
        ("--output=x:mail", "expected a revision"),
        ("mail/none.yaml", "cannot read"),
        ("main:mail/stacks", "is no regular file"),
    ],
)
@pytest.mark.usefixtures("repository")
def test_what_cannot_be_read_is_told(named: str, said: str) -> None:
    """With the option that names it."""
    with pytest.raises(ConfigError, match=said) as refused:
        open_stack_file("--from", named)
    assert str(refused.value).startswith("--from: ")


def test_a_file_outside_of_the_project_or_a_link_is_not_followed(repository: Path) -> None:
    """In a revision as on disk: what a stack file names lies in the project."""
    project = repository / "mail"
    (project / "link.csv").symlink_to("../outside.csv")
    text = STACK.replace("staff.csv", "../outside.csv") + "    more: { file: link.csv }\n"
    (project / "stacks/Pulumi.prod.yaml").write_text(text)
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", "second")
    for named in ("HEAD:mail/stacks/Pulumi.prod.yaml", "mail/stacks/Pulumi.prod.yaml"):
        files = source_of(open_stack_file("--to", named), "mail-pki").files
        assert {name: bool(file.fault) for name, file in files.items()} == {"../outside.csv": True, "link.csv": True}


def test_a_directory_without_a_project_is_one_by_itself(tmp_path: Path) -> None:
    """A copy of a stack file somewhere else; the state then says which project it is of."""
    (tmp_path / "copy.yaml").write_text(STACK)
    opened = open_stack_file("--to", str(tmp_path / "copy.yaml"))
    assert (opened.project, opened.stack, opened.place) == ("", "", str(tmp_path))


def commit(repository: Path, name: str, text: str) -> None:
    """Change one file of the project in a new revision."""
    (repository / "mail" / name).write_text(text)
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", name)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("Pulumi.yaml", "name: mail-pki\nruntime: python\nstackConfigDir: others\n", "Pulumi.yaml: stackConfigDir"),
        ("Pulumi.yaml", "name: mail-pki\nconfig: {'mail-pki:out': {value: x}}\n", "Pulumi.yaml: config"),
        ("stacks/Pulumi.prod.yaml", f"{STACK}environment: [other]\n", "the stack file: environment"),
        ("stacks/Pulumi.prod.yaml", f"{STACK}  postseal:clock: 2020-01-01T00:00:00Z\n", "config: postseal:clock"),
    ],
)
def test_what_the_engine_alone_understands_is_told_where_it_differs(
    repository: Path, name: str, text: str, told: str
) -> None:
    """It may bring values that no stack file shows; where it is the same, nothing is said."""
    commit(repository, name, text)
    old, new = (open_stack_file("--to", f"{each}:mail/stacks/Pulumi.prod.yaml") for each in ("HEAD~", "HEAD"))
    assert told in unread_settings(old, new, "mail-pki")
    assert unread_settings(new, new, "mail-pki") == []


@pytest.mark.parametrize("where", ["HEAD:", ""])
def test_a_project_that_cannot_be_read_is_not_taken_for_none(repository: Path, where: str) -> None:
    """Otherwise a stack file would belong to whatever project the state is of."""
    commit(repository, "Pulumi.yaml", "name: {")
    with pytest.raises(ConfigError, match=r"Pulumi\.yaml of its project cannot be read"):
        open_stack_file("--to", f"{where}mail/stacks/Pulumi.prod.yaml")


def test_a_device_is_no_stack_file() -> None:
    """It has no end, or waits for somebody."""
    with pytest.raises(ConfigError, match="cannot read '/dev/zero'"):
        open_stack_file("--to", "/dev/zero")


@pytest.mark.parametrize("count", [5, 2_001])
def test_one_stack_file_does_not_make_a_review_read_without_end(repository: Path, count: int) -> None:
    """A file is read as often as it is named, by whatever names it has."""
    (repository / "mail/large.csv").write_bytes(b"x" * (16 * 2**20 - 1))
    named = "".join(f"    s{each}: {{ file: {'./' * each}large.csv }}\n" for each in range(count))
    (repository / "mail/stacks/Pulumi.prod.yaml").write_text(f"config:\n  mail-pki:rosters:\n{named}")
    with pytest.raises(ConfigError, match="--to: names"):
        source_of(open_stack_file("--to", "mail/stacks/Pulumi.prod.yaml"), "mail-pki")


def test_a_clone_of_a_part_asks_nobody_for_the_rest(
    repository: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What its remote is told to run is not run; plain git runs it, and has the file then."""
    git(repository, "config", "uploadpack.allowFilter", "true")
    part, ran = tmp_path_factory.mktemp("part"), repository / "ran"
    git(part, "clone", "--quiet", "--no-checkout", "--filter=blob:none", f"file://{repository}", ".")
    git(part, "config", "remote.origin.uploadpack", f"touch {ran}; git-upload-pack")
    monkeypatch.chdir(part)
    with pytest.raises(ConfigError, match="git cannot read it"):
        open_stack_file("--to", "HEAD:mail/stacks/Pulumi.prod.yaml")
    assert not ran.exists()
    assert "staff.csv" in git(part, "cat-file", "blob", "HEAD:mail/stacks/Pulumi.prod.yaml")
    assert ran.exists()
