"""docs/review.md and the files in examples/pipelines, word by word: what is told to run is run, in git and a shell."""

import json
import os
import re
import subprocess
from contextlib import chdir
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.engine import REPOSITORY, Result, run_limited
from tests.support.played_engine import PlayedStack

PAGE = (REPOSITORY / "docs/review.md").read_text(encoding="utf-8")
PIPELINES = (REPOSITORY / "docs/pipelines.md").read_text(encoding="utf-8")
EXAMPLES = REPOSITORY / "examples/pipelines"
OLD, NEW = re.findall(r"^```yaml\n# stacks/Pulumi\.prod\.yaml[^\n]*\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = re.findall(r"^\$ (.*)$", PAGE, re.MULTILINE)
(SHOWN,) = re.findall(r"^```\n(mail-pki/prod: .*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
FIRST = datetime(2026, 3, 1, 9, tzinfo=UTC)
PULUMI = """#!/bin/sh
# Stands in for the engine: it exports the stack `prod`, to a file or to standard output.
case "$*" in
    "stack export --stack prod --file state.json") cp "$EXPORTED" state.json ;;
    "stack export --stack prod") cat "$EXPORTED" ;;
    *) echo "unexpected: $*" >&2; exit 9 ;;
esac
"""


class Place:
    """A clone of a repository with a stack, whose state an engine that is played here exports."""

    def __init__(self, directory: Path) -> None:
        self.directory, self.clone = directory, directory / "clone"
        (directory / "bin").mkdir()
        (directory / "bin/pulumi").write_text(PULUMI)
        (directory / "bin/pulumi").chmod(0o755)
        self.git("init", "--quiet", "--bare", "--initial-branch", "main", "origin.git", at=directory)
        self.git("clone", "--quiet", "origin.git", "clone", at=directory)
        (self.clone / "stacks").mkdir()
        (self.clone / "Pulumi.yaml").write_text((REPOSITORY / "Pulumi.yaml").read_text())
        (self.clone / "examples").mkdir()
        (self.clone / "examples/pipelines").symlink_to(EXAMPLES)
        self.commit(OLD, "main")
        with chdir(directory):
            stack = PlayedStack(name="prod")
            sections = {key.removeprefix("mail-pki:"): each for key, each in yaml.safe_load(OLD)["config"].items()}
            stack.up(sections, FIRST)
            (directory / "exported.json").write_text(json.dumps(stack.export()))

    def commit(self, stack_file: str, branch: str) -> str:
        """Commit a stack file on a branch, push it, and return the commit."""
        self.git("checkout", "--quiet", "-B", branch)
        (self.clone / "stacks/Pulumi.prod.yaml").write_text(stack_file)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", branch)
        self.git("push", "--quiet", "origin", branch)
        return self.git("rev-parse", "HEAD")

    def git(self, *arguments: str, at: Path | None = None) -> str:
        """Run git with nobody's settings."""
        done = subprocess.run(
            ["git", *arguments],
            cwd=at or self.clone,
            env=self.environment(),
            capture_output=True,
            check=True,
            text=True,
        )
        return done.stdout.strip()

    def environment(self, **more: str) -> dict[str, str]:
        """Return the environment of a job: no setting of Pulumi, no passphrase."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PULUMI", "GIT"))}
        who = {f"GIT_{role}_{what}": "a@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        nobody = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
        path = f"{self.directory}/bin:{REPOSITORY}/.venv/bin:{os.environ['PATH']}"
        return kept | who | nobody | {"PATH": path, "EXPORTED": str(self.directory / "exported.json")} | more

    def run(self, script: str, **more: str) -> Result:
        """Run a script as a job does."""
        return run_limited(["bash", "-eo", "pipefail", "-c", script], self.clone, self.environment(**more), 120)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Return the clone."""
    return Place(tmp_path)


def test_the_page_is_a_run(place: Place) -> None:
    """Each command ends as the page says, and the last one begins with what the page shows."""
    (place.clone / "stacks/Pulumi.prod.yaml").write_text(NEW)
    assert len(COMMANDS) == 3
    done = [place.run(command) for command in COMMANDS]
    assert [each.returncode for each in done] == [0, 0, 1], done
    assert done[-1].stdout.startswith(SHOWN)
    blank = (place.clone / "blank.json").read_text()
    assert "ciphertext" in blank
    assert "v1:" not in blank


def published(place: Place) -> Place:
    """Publish the state as docs/pipelines.md tells."""
    (command,) = re.findall(r"^examples/pipelines/publish-state\.sh .*$", PIPELINES, re.MULTILINE)
    place.run(command).expect_success()
    return place


def test_the_state_is_published_without_ciphertext_and_only_when_it_differs(place: Place) -> None:
    """Twice the same state is one commit; nothing else is on that branch."""
    published(published(place))
    place.git("fetch", "--quiet", "origin")
    assert place.git("ls-tree", "--name-only", "-r", "origin/state") == "prod.json"
    assert place.git("rev-list", "--count", "origin/state") == "2"
    assert "v1:" not in place.git("show", "origin/state:prod.json")
    assert place.git("status", "--porcelain", "--untracked-files=no") == ""


def test_a_pull_request_is_reviewed_with_git_and_a_shell(place: Place) -> None:
    """The commands of docs/pipelines.md; one that would be refused fails the job."""
    published(place).commit(NEW, "change")
    (script,) = re.findall(r"^git fetch origin\nexamples/pipelines/review\.sh .*$", PIPELINES, re.MULTILINE)
    done = place.run(script).expect_success()
    assert "; carol on mx1\n- **May no longer relay:** without any certificate " in done.stdout
    place.commit(NEW.replace("relay_clients: [alice, carol]", "relay_clients: [alice, nobody]"), "wrong")
    refused = place.run(script)
    assert refused.returncode == 2
    assert "**hosts.mx1.relay\\_clients\\[1\\]:**" in refused.stdout


def test_what_a_review_does_not_judge_is_listed(place: Place) -> None:
    """The line of docs/pipelines.md: code beside a stack file that stays is there; a stack file alone is not."""
    (line,) = re.findall(r"^git diff --stat .*$", PIPELINES, re.MULTILINE)
    place.commit(NEW, "change")
    assert place.run(line).expect_success().stdout == ""
    (place.clone / "__main__.py").write_text("print()\n")
    (place.clone / "Pulumi.yaml").write_text("name: mail-pki\nruntime: python\nplugins: {}\n")
    place.commit(OLD, "code")
    told = place.run(line).expect_success().stdout
    assert [each.split("|")[0].strip() for each in told.splitlines()[:-1]] == ["Pulumi.yaml", "__main__.py"]


def test_everything_has_an_owner_and_stack_files_have_others() -> None:
    """Of the lines for CODEOWNERS the last one that fits counts."""
    (owners,) = re.findall(r"^```\n(\* .*?)^```$", PIPELINES, re.MULTILINE | re.DOTALL)
    lines = [line.split() for line in owners.splitlines()]
    assert [(len(each), each[0]) for each in lines] == [(2, "*"), (2, "/stacks/")]


def test_a_job_without_the_published_state_fails(place: Place) -> None:
    """Nothing is reviewed against nothing."""
    assert place.run("examples/pipelines/review.sh prod origin/main HEAD").returncode == 3


def test_the_github_job_reviews_the_merge_commit_from_the_base(place: Place) -> None:
    """Its last step, with what GitHub sets; the pull request's own files are never checked out."""
    change = published(place).commit(NEW, "change")
    place.git("push", "--quiet", "origin", f"{change}:refs/pull/7/merge")
    place.git("checkout", "--quiet", "main")
    (job,) = yaml.safe_load((EXAMPLES / "github.yml").read_text())["jobs"].values()
    summary = place.directory / "summary.md"
    base = place.git("rev-parse", "main")
    place.run(job["steps"][-1]["run"], BASE=base, NUMBER="7", GITHUB_STEP_SUMMARY=str(summary)).expect_success()
    assert "; bob on mx1\n" in summary.read_text()
    assert job["permissions"] == {"contents": "read"}
    assert set(job["steps"][-1]["env"]) == {"BASE", "NUMBER"}
    assert "secrets." not in (EXAMPLES / "github.yml").read_text()


def test_the_gitlab_job_reviews_a_merge_request(place: Place) -> None:
    """Its script, with what GitLab sets."""
    change = published(place).commit(NEW, "change")
    job: dict[str, Any] = yaml.safe_load((EXAMPLES / "gitlab.yml").read_text())["review"]
    prepare = [each for each in job["before_script"] if each.startswith("git")]
    script = "\n".join([*prepare, *job["script"]])
    base = place.git("rev-parse", "origin/main")
    done = place.run(script, CI_MERGE_REQUEST_DIFF_BASE_SHA=base, CI_COMMIT_SHA=change).expect_success()
    assert "carol on mx1" in done.stdout
    assert (place.clone / "review.md").read_text() == done.stdout


def test_the_actions_of_the_example_are_those_of_this_repository() -> None:
    """Pinned by commit, as ours are; a new release is taken in both places."""
    pinned = re.compile(r"uses: (\S+ # \S+)")
    ours = {
        each for path in (REPOSITORY / ".github/workflows").glob("*.yml") for each in pinned.findall(path.read_text())
    }
    assert set(pinned.findall((EXAMPLES / "github.yml").read_text())) <= ours


def test_the_scripts_have_no_fault_that_shellcheck_knows() -> None:
    """They are plain sh."""
    scripts = [str(path) for path in sorted(EXAMPLES.glob("*.sh"))]
    assert len(scripts) == 2
    done = run_limited([str(REPOSITORY / ".venv/bin/shellcheck"), *scripts], REPOSITORY, dict(os.environ), 60)
    assert str(done) == ""
