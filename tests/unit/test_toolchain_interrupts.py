"""The engine is started with interrupts heeded, whoever starts it: it ends its plugins with them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PULUMI = """#!/bin/sh
[ "$1" != stack ] || exec echo '[{"name": "dev"}]'
exec python3 -c 'import signal; print(signal.getsignal(signal.SIGINT) == signal.SIG_IGN)' > "$NOTED"
"""


@pytest.mark.parametrize("program", [["toolchain/launch.py"], ["-m", "toolchain.demo"]], ids=["launcher", "demo"])
@pytest.mark.parametrize("trap", ['trap "" INT', "true"], ids=["ignored", "heeded"])
def test_interrupts_reach_the_engine_also_from_where_they_are_ignored(
    program: list[str], trap: str, tmp_path: Path
) -> None:
    """A background job of a shell without job control inherits that they are ignored; a stand-in plays `pulumi`."""
    (tmp_path / "pulumi").write_text(PULUMI)
    (tmp_path / "pulumi").chmod(0o755)
    own = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "NOTED": str(tmp_path / "noted"),
        # No engine in the cache comes before the stand-in, and nothing of the checkout's own state is touched.
        "XDG_CACHE_HOME": str(tmp_path),
        "POSTSEAL_STATE_DIR": str(tmp_path / "state"),
    }
    command = ["sh", "-c", f'{trap}; exec "$0" "$@"', sys.executable, *program, "preview"]
    subprocess.run(command, cwd=ROOT, env=os.environ | own, check=True)
    assert (tmp_path / "noted").read_text() == "False\n"
