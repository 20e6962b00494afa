"""Fixtures for all tests, and what to do when a program that a test needs is not there."""

import gc
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import is_hypothesis_test, settings

from postfix.effective.expansion import Values
from postfix.parameters import known_parameters
from tests.support.engine import Stack, has_engine, prepare_home
from tests.support.examples import WHOLE
from tests.support.foreign_authorities import EASY_RSA
from tests.support.postfix_instance import Boot, boot
from tests.support.postgres import has_postgres
from tests.support.test_authority import ThrowAwayAuthority
from toolchain.go_tools import ZLINT, built_tool
from toolchain.promtool import promtool

REPOSITORY = Path(__file__).parents[1]

# Two machines are never equally fast: no test fails for the time it takes. `make quick` and `make versions` choose
# `few`, each time other examples; `make test` takes all.
settings.register_profile("whole", deadline=None, max_examples=WHOLE)
settings.register_profile("few", deadline=None, max_examples=WHOLE * 2 // 5)
settings.load_profile("whole")


def _has_postfix() -> bool:
    return shutil.which("postfix") is not None and os.geteuid() == 0


def _has_sshd() -> bool:
    return Path("/usr/sbin/sshd").is_file() and shutil.which("ssh") is not None and os.geteuid() == 0


def _has_mounts() -> bool:
    unshare = shutil.which("unshare")
    return (
        unshare is not None
        and os.geteuid() == 0
        and not subprocess.run([unshare, "-m", "true"], check=False).returncode
    )


def _has_browser() -> bool:
    return any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))


def _has_zlint() -> bool:
    return built_tool(ZLINT, REPOSITORY, os.environ).is_file()


NEEDS: dict[str, tuple[Callable[[], bool], str]] = {
    "needs_browser": (_has_browser, "Chromium is not on PATH"),
    "needs_easy_rsa": (EASY_RSA.is_file, "easy-rsa is not installed in /usr/share"),
    "needs_engine": (has_engine, "there is no Pulumi engine: run `make engine` once"),
    "needs_gnutls": (lambda: shutil.which("certtool") is not None, "certtool of GnuTLS is not on PATH"),
    "needs_go": (lambda: shutil.which("go") is not None, "go is not on PATH"),
    "needs_mounts": (_has_mounts, "this is not root, or root may not mount anything"),
    "needs_nss": (lambda: shutil.which("certutil") is not None, "certutil of NSS is not on PATH"),
    "needs_openssl": (lambda: shutil.which("openssl") is not None, "openssl is not on PATH"),
    "needs_postfix": (_has_postfix, "postfix is not on PATH, or this is not root"),
    "needs_postgres": (has_postgres, "PostgreSQL is not installed"),
    "needs_promtool": (
        lambda: promtool(REPOSITORY, os.environ) is not None,
        "there is no promtool: run `python3 toolchain/bootstrap.py debian` once",
    ),
    "needs_root": (lambda: os.geteuid() == 0, "this is not root, so nobody else can be played"),
    "needs_sshd": (_has_sshd, "sshd is not installed, or this is not root"),
    "needs_swaks": (lambda: shutil.which("swaks") is not None, "swaks is not on PATH"),
    "needs_zlint": (_has_zlint, "there is no zlint: run `python3 toolchain/bootstrap.py zlint` once"),
}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark everything in tests/integration as such, and run generated examples unwatched where coverage is measured.

    Watching doubles the time of all that runs, and the hundredth example covers nothing new: the floor is one for the
    examples that somebody has written. A run of mutants, which asks for contexts, has to know what all of them run.
    """
    is_floor = bool(config.getoption("cov_source", None)) and not config.getoption("cov_context", None)
    for item in items:
        if item.path.is_relative_to(REPOSITORY / "tests/integration"):
            item.add_marker("integration")
        if is_floor and is_hypothesis_test(getattr(item, "obj", None)):
            item.add_marker("no_cover")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose program is absent; in CI, where nothing may be absent, fail it."""
    for marker, (is_present, reason) in NEEDS.items():
        if item.get_closest_marker(marker) and not is_present():
            outcome = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
            outcome(reason)


def pytest_collection_finish() -> None:
    """Let the garbage collector look no more at modules and tests, which stay to the end: that saves a fifth."""
    gc.freeze()


@pytest.fixture(scope="session")
def authority() -> ThrowAwayAuthority:
    """Return an authority that issues test certificates without any of the product's code."""
    return ThrowAwayAuthority()


@pytest.fixture
def postfix_instance() -> Iterator[Boot]:
    """Return `boot` of tests.support.postfix_instance; what it starts is stopped and removed after the test."""
    with ExitStack() as started:
        yield lambda rendered, **options: started.enter_context(boot(rendered, **options))


@pytest.fixture(scope="session")
def engine_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a PULUMI_HOME with the plugins installed, shared by all stacks of this run."""
    return prepare_home(tmp_path_factory.mktemp("engine") / "home")


@pytest.fixture
def new_stack(engine_home: Path, tmp_path: Path) -> Callable[..., Stack]:
    """Return a function that makes a stack of a project directory: `new_stack(project, name="dev")`."""
    return lambda project, **options: Stack(project, tmp_path / "backend", engine_home, **options).init()


@pytest.fixture
def only_names_of_postfix(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail where a parameter is asked for that neither Postfix nor the host has: it would count as empty."""
    found = Values.__missing__

    def asked(values: Values, name: str) -> str:
        classes = values.raw.get("smtpd_restriction_classes", "").replace(",", " ").split()
        assert name in known_parameters() or name in values.raw or name in classes, name
        return found(values, name)

    monkeypatch.setattr(Values, "__missing__", asked)
