"""Runs the right `pulumi` with the right environment; `toolchain/pulumi` is its short name."""

import os
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# A script's own directory comes first on the path; the package this file belongs to lies one higher.
sys.path[0] = str(ROOT)

from toolchain.environment import engine_environment  # noqa: E402
from toolchain.errors import ToolchainError  # noqa: E402
from toolchain.interrupts import heed_interrupts  # noqa: E402
from toolchain.launch_checks import refuse_clear_logs  # noqa: E402
from toolchain.layout import locate  # noqa: E402
from toolchain.network import read_command  # noqa: E402
from toolchain.ownership import close_umask, refuse_programs_of_others  # noqa: E402
from toolchain.private_network import isolate  # noqa: E402
from toolchain.state import ensure_named  # noqa: E402


def main(arguments: list[str]) -> None:
    """Replace this process by `pulumi` with `arguments`, or end with a message that says what is missing."""
    close_umask()
    layout = locate(ROOT, os.environ)
    environment = engine_environment(ROOT, os.environ)
    program = shutil.which("pulumi", path=environment["PATH"])
    if program is None:
        sys.exit("There is no pulumi yet: run `make engine` once.")
    try:
        refuse_programs_of_others(layout, environment)
        refuse_clear_logs(arguments, environment)
        ensure_named(layout, environment)
    except ToolchainError as error:
        sys.exit(str(error))
    if read_command(arguments).command:
        isolation = isolate(ROOT, arguments, Path.cwd(), environment)
        if not isolation.is_private:
            print(isolation.sentence, file=sys.stderr)
    heed_interrupts()
    os.execve(program, ["pulumi", *arguments], environment)  # noqa: S606  # no shell is wanted


if __name__ == "__main__":
    main(sys.argv[1:])
