"""Fuzz one reader with atheris, which keeps the inputs that reach new code; see docs/design/20261126-hostile-input.md.

    uv run --with atheris==3.0.0 python -m tests.fuzz.coverage_guided READER -max_total_time=60 NEW tests/corpora/READER

NEW is a directory for what it finds on its way; an input that a reader stumbles over is stored in its corpus.
"""

import sys

import atheris  # type: ignore[import-not-found,import-untyped,unused-ignore]  # few have it, and it has no types

with atheris.instrument_imports(include=["pki", "postfix", "postseal", "postseal_core", "yaml"]):
    from tests.fuzz.readers import judge, store


def main() -> None:
    """Fuzz until libFuzzer's options say that it is enough."""
    name = sys.argv.pop(1)

    def take(data: bytes) -> None:
        if finding := judge(name, data):
            raise AssertionError(f"{finding.reason}; stored as {store(name, data)}")

    atheris.Setup(sys.argv, take)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
