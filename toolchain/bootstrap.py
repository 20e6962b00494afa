"""Sets up what `make` needs, step by step; only the standard library of Python 3.11 is used.

python3 toolchain/bootstrap.py engine    Pulumi CLI, Python language host and tls plugin
python3 toolchain/bootstrap.py uv        .venv as uv.lock has it
python3 toolchain/bootstrap.py debian    programs that tests need, with apt-get
python3 toolchain/bootstrap.py zlint     zlint, which tests ask about certificates
python3 toolchain/bootstrap.py workflows a check of the workflows below .github
python3 toolchain/bootstrap.py env       the environment as shell commands, for `eval`; makes the state directory
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  # an older Python gets this far and must be told
    sys.exit(f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}; name one with `make PYTHON=...`")

import argparse
import os
import shlex
import signal
from collections.abc import Callable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# A script's own directory comes first on the path; the package this file belongs to lies one higher.
sys.path[0] = str(ROOT)

from toolchain.debian import ensure_programs  # noqa: E402
from toolchain.engine import ensure_engine  # noqa: E402
from toolchain.environment import engine_environment, left_behind  # noqa: E402
from toolchain.errors import ToolchainError  # noqa: E402
from toolchain.go_tools import ZLINT, ensure_tool  # noqa: E402
from toolchain.layout import locate  # noqa: E402
from toolchain.ownership import close_umask, refuse_programs_of_others  # noqa: E402
from toolchain.promtool import ensure_promtool  # noqa: E402
from toolchain.state import ensure_named  # noqa: E402
from toolchain.virtualenv import ensure_virtualenv  # noqa: E402
from toolchain.workflows import lint_workflows  # noqa: E402

__all__ = ["main", "shell_exports"]


def shell_exports(base: Mapping[str, str], environment: Mapping[str, str]) -> str:
    """Return the shell commands that turn `base` into `environment`; what is alike is left out."""
    changed = {name: value for name, value in environment.items() if base.get(name) != value}
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in sorted(changed.items()))


def _ensure_programs() -> None:
    ensure_programs()
    ensure_promtool(ROOT, os.environ)


def _ensure_zlint() -> None:
    ensure_tool(ZLINT, ROOT, os.environ)


def _print_environment() -> None:
    environment = engine_environment(ROOT, os.environ)
    ensure_named(locate(ROOT, os.environ), environment)
    before, after = left_behind(ROOT, os.environ).get("PULUMI_BACKEND_URL"), environment["PULUMI_BACKEND_URL"]
    if before and before != after:
        sys.stderr.write(f"this shell leaves the state of another checkout, {before}, for {after}\n")
    print(shell_exports(os.environ, environment))


COMMANDS: Mapping[str, tuple[str, Callable[[], None]]] = {
    "engine": (
        "provide the Pulumi CLI, the Python language host and the tls plugin",
        lambda: ensure_engine(ROOT, os.environ),
    ),
    "uv": ("bring .venv to what uv.lock says", lambda: ensure_virtualenv(ROOT, os.environ)),
    "debian": ("install the programs that tests need with apt-get", _ensure_programs),
    "zlint": ("build zlint, a judge of certificates in tests", _ensure_zlint),
    "workflows": ("check the workflows below .github", lambda: lint_workflows(ROOT, os.environ)),
    "env": ("print the engine's environment for `eval`, and make the state directory it names", _print_environment),
}


def main(arguments: list[str]) -> None:
    """Run the named steps in order; end the process with a message when one of them cannot be done."""
    parser = argparse.ArgumentParser(prog="bootstrap.py", description="Set up what `make` needs.")
    steps = ", ".join(f"{name}: {text}" for name, (text, _) in COMMANDS.items())
    parser.add_argument("step", nargs="+", choices=COMMANDS, help=steps)
    # An interrupted build cleans up after itself; let a polite kill interrupt it too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    close_umask()
    try:
        refuse_programs_of_others(locate(ROOT, os.environ), os.environ)
        for step in parser.parse_args(arguments).step:
            COMMANDS[step][1]()
    except ToolchainError as error:
        sys.exit(f"\n{error}")
    except KeyboardInterrupt:
        sys.exit("\ninterrupted; run the command again to go on")


if __name__ == "__main__":
    main(sys.argv[1:])
