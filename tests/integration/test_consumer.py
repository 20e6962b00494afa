"""Somebody else's repository with the wheel alone: checked by mypy and pyright, and brought up by the engine.

What docs/use-from-your-repository.md tells to do is done here step by step.
"""

import json
import os
import re
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email import message_from_string
from pathlib import Path

import pytest
import yaml

from postseal.version import VERSION
from tests.support.consumer import PACKAGES, Consumer, build_wheel, constraints
from tests.support.engine import REPOSITORY, Result, prepare_home
from tests.support.stacks import tree
from tests.support.test_authority import ThrowAwayAuthority

pytestmark = pytest.mark.needs_engine

PAGE = REPOSITORY / "docs/use-from-your-repository.md"
PROGRAM = REPOSITORY / "tests/consumer"
FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
IGNORED = re.compile(r"  # type: ignore\[[\w-]+\]$", re.MULTILINE)
NEXT = "0.1.1"


def blocks(language: str) -> list[str]:
    """Return the code blocks of a language in the page, in order."""
    return [match["text"] for match in FENCE.finditer(PAGE.read_text()) if match["language"] == language]


@dataclass(frozen=True, slots=True)
class Wheels:
    """The wheel of this checkout, and the same as of a later version."""

    current: Path
    later: Path


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Wheels:
    """Build both wheels."""
    directory = tmp_path_factory.mktemp("wheels")
    return Wheels(build_wheel(directory), build_wheel(directory, NEXT))


@pytest.fixture(scope="module")
def consumer(wheels: Wheels, tmp_path_factory: pytest.TempPathFactory) -> Consumer:
    """Take the page's first steps: an environment with the wheel, Pulumi.yaml, and the program."""
    scratch = tmp_path_factory.mktemp("consumer")
    made = Consumer(
        scratch / "our-mail",
        {
            "PATH": f"{scratch}/bin:{os.environ['PATH']}",
            "UV_CONSTRAINT": str(constraints(scratch / "constraints.txt")),
            "MYPY_CACHE_DIR": str(scratch / "mypy"),
            "PULUMI_HOME": str(prepare_home(scratch / "home")),
            "PULUMI_BACKEND_URL": (scratch / "state").as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "only for this test",
        },
    )
    for name in ("state", "bin"):
        (scratch / name).mkdir()
    # The Python of this test run, and not the first one of the machine.
    (scratch / "bin/python3").symlink_to(Path(sys.base_prefix) / "bin/python3")
    made.directory.mkdir()
    for wheel in (wheels.current, wheels.later):
        shutil.copy(wheel, made.directory)
    (made.directory / "Pulumi.yaml").write_text(blocks("yaml")[0])
    (made.directory / "__main__.py").write_text(blocks("python")[0])
    installed = made.sh(blocks("sh")[0]).expect_success()
    assert installed.stdout == f"postseal {VERSION}\n"
    return made


def test_the_wheel_says_what_it_is(wheels: Wheels) -> None:
    """Every package is typed; versions are ranges, so that it can stand beside other packages; it says where from."""
    with zipfile.ZipFile(wheels.current) as archive:
        names = archive.namelist()
        (metadata,) = (archive.read(name).decode() for name in names if name.endswith(".dist-info/METADATA"))
    assert {f"{package}/py.typed" for package in PACKAGES} <= {*names}
    assert {name.partition("/")[0] for name in names} == {*PACKAGES, f"postseal-{VERSION}.dist-info"}
    told = message_from_string(metadata)
    assert told["Version"] == VERSION
    wanted = told.get_all("Requires-Dist", [])
    assert {"pulumi<4,>=3.250", "pulumi-tls<5.4,>=5.3.1"} <= {*wanted}
    assert [each for each in wanted if "==" in each] == []
    assert {each.partition(",")[0] for each in told.get_all("Project-URL", [])} >= {"Homepage", "Issues"}


def test_every_step_of_the_page_works(consumer: Consumer) -> None:
    """Check, bring up, upgrade; and without `plugins:` the engine says what the page says that it says."""
    _, check, up, upgrade = blocks("sh")
    consumer.sh(check).expect_success()
    assert "out/mx1/postfix" in consumer.sh(up).expect_success().stdout
    before = tree(consumer.directory / "out")
    assert {"rosters/staff/alice/alice.p12", "rosters/staff/bob/bob.key.pem", "ca/ca.pem"} <= {*before}
    upgraded = consumer.sh(upgrade + "postseal --version").expect_success()
    assert upgraded.stdout.endswith(f"unchanged\n\npostseal {NEXT}\n")
    assert tree(consumer.directory / "out") == before
    consumer.sh(f"uv pip install --quiet ./postseal-{VERSION}-py3-none-any.whl").expect_success()


def test_without_its_name_the_plugin_is_not_found(consumer: Consumer, tmp_path: Path) -> None:
    """The engine's message is the one in the page."""
    (message,) = (text for text in blocks("") if text.startswith("error: "))
    other = Consumer(tmp_path / "unnamed", consumer.variables)
    shutil.copytree(consumer.directory, other.directory, ignore=shutil.ignore_patterns(".venv", "out", "*.whl"))
    project = yaml.safe_load((other.directory / "Pulumi.yaml").read_text())
    del project["plugins"]
    (other.directory / "Pulumi.yaml").write_text(yaml.safe_dump(project | {"name": "unnamed"}))
    # The environment is not active: its Python is found, and nothing that lies beside it.
    (other.directory / "bin").mkdir()
    python = other.directory / "bin/python3"
    python.write_text(f'#!/bin/sh\nexec {consumer.directory}/.venv/bin/python3 "$@"\n')
    python.chmod(0o755)
    begin = f'PATH="{other.directory}/bin:$PATH"\npulumi stack init dev\n'
    refused = other.sh(f"{begin}pulumi preview --non-interactive --color never", is_active=False)
    assert not refused.is_success
    assert message.strip().removesuffix("...") in str(refused)


@pytest.fixture(scope="module")
def checked(consumer: Consumer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    """Check the program that uses every class, and the mistakes with nothing ignored, with mypy and pyright at once."""
    other = Consumer(tmp_path_factory.mktemp("typed"), consumer.variables)
    for path in PROGRAM.glob("*.py"):
        text = IGNORED.sub("", path.read_text()) if path.stem == "mistakes" else path.read_text()
        (other.directory / path.name).write_text(text)
    (other.directory / "pyrightconfig.json").write_text(json.dumps({"typeCheckingMode": "strict"}))
    python = consumer.directory / ".venv/bin/python"
    commands = {
        "mypy": f"{python.parent}/mypy --strict --config-file= --no-error-summary *.py",
        "pyright": f"{REPOSITORY}/.venv/bin/pyright --pythonpath {python} --outputjson",
    }
    with ThreadPoolExecutor() as pool:
        return dict(zip(commands, pool.map(other.sh, commands.values()), strict=True))


def errors_of_mypy(result: Result) -> Iterator[tuple[str, int]]:
    """Yield file and line of each error."""
    for found in re.finditer(r"^(\w+\.py):(\d+): error: ", result.stdout, re.MULTILINE):
        yield found[1], int(found[2])


def errors_of_pyright(result: Result) -> Iterator[tuple[str, int]]:
    """Yield file and line of each error and warning."""
    for each in json.loads(result.stdout)["generalDiagnostics"]:
        yield Path(each["file"]).name, each["range"]["start"]["line"] + 1


@pytest.mark.parametrize(("checker", "errors"), [("mypy", errors_of_mypy), ("pyright", errors_of_pyright)])
def test_a_right_program_passes_and_every_mistake_is_refused(
    checked: dict[str, Result], checker: str, errors: Callable[[Result], Iterator[tuple[str, int]]]
) -> None:
    """Both checkers, strictly, with the wheel alone: nothing to say of the programs, and each mistake on its line."""
    lines = (PROGRAM / "mistakes.py").read_text().splitlines()
    wrong = {("mistakes.py", number) for number, line in enumerate(lines, 1) if IGNORED.search(line)}
    assert len(wrong) > 20
    assert {*errors(checked[checker])} == wrong, str(checked[checker])


def test_a_program_that_uses_every_class_comes_up(consumer: Consumer, tmp_path: Path) -> None:
    """The plugin that the engine starts is the one of the wheel; after `up` there is nothing left to change."""
    other = Consumer(tmp_path / "every-class", consumer.variables)
    shutil.copytree(
        PROGRAM, other.directory, ignore=shutil.ignore_patterns("__pycache__", "attributes.py", "mistakes.py")
    )
    project = yaml.safe_load((consumer.directory / "Pulumi.yaml").read_text())
    project["plugins"]["providers"][0]["path"] = str(consumer.directory / ".venv/bin")
    (other.directory / "Pulumi.yaml").write_text(yaml.safe_dump(project | {"name": "every-class"}))
    elsewhere = ThrowAwayAuthority("Old CA")
    (other.directory / "old-ca.pem").write_text(elsewhere.certificate_pem)
    (other.directory / "old-ca.key").write_text(elsewhere.private_key_pem)
    activate = f". {consumer.directory}/.venv/bin/activate\n"
    setting = "pulumi config set --secret old-ca-key < old-ca.key\npulumi config set --secret passphrase 0123456789\n"
    other.sh(f"{activate}pulumi stack init dev\n{setting}pulumi up --yes --skip-preview").expect_success()
    other.sh(f"{activate}pulumi preview --expect-no-changes").expect_success()
    files = {*tree(other.directory / "out")}
    assert {
        "clients/alice/alice.p12",
        "clients/fax/fax.key.pem",
        "rosters/staff/anna/anna.p12",
        "rosters/staff/ben/ben.p12",
        "rosters/machines/scanner/scanner.cert.pem",
        "requests/public.csr.pem",
        "crl/issuing.crl",
        "mx1/postfix/relay_clientcerts",
        "web1/postfix/main.cf",
        "hub/postfix/master.cf",
    } <= files
    assert not [path for path in files if path.startswith("rosters/machines/fax")]
