"""What `make sbom` and `make audit` say, with the real uv and a database of advisories of our own."""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from toolchain.errors import ToolchainError
from toolchain.licences import locked_packages
from toolchain.supply import audit, write_sbom

LOCK = Path(__file__).parents[2] / "uv.lock"
ADVISORY = {"id": "MADE-UP-1", "modified": "2026-01-01T00:00:00Z", "summary": "made up"}


@contextmanager
def database(*bad: str) -> Iterator[dict[str, str]]:
    """Serve advisories against some packages as OSV does; yield the environment that names this service."""
    asked: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            queries = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
            names = [query["package"]["name"] for query in queries]
            asked.extend(names)
            self._send({"results": [{"vulns": [ADVISORY]} if name in bad else {} for name in names]})

        def do_GET(self) -> None:
            self._send(ADVISORY)

        def _send(self, content: object) -> None:
            body = json.dumps(content).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield {
            **os.environ,
            "POSTSEAL_ADVISORIES_URL": f"http://127.0.0.1:{server.server_port}",
            "NO_PROXY": "127.0.0.1",
        }
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert sorted(asked) == [each.name for each in locked_packages(LOCK)]


def test_an_audit_without_findings_passes() -> None:
    """Every package of the lock file was asked about."""
    with database() as environment:
        audit(environment)


def test_an_advisory_against_a_package_is_a_failure(capfd: pytest.CaptureFixture[str]) -> None:
    """Package and advisory are named."""
    with database("pyyaml") as environment, pytest.raises(ToolchainError, match="known against a package"):
        audit(environment)
    assert "MADE-UP-1" in capfd.readouterr().out


def test_a_database_that_cannot_be_asked_is_no_good_news() -> None:
    """It is said plainly that nothing was checked."""
    unreachable = {**os.environ, "POSTSEAL_ADVISORIES_URL": "http://127.0.0.1:9", "UV_HTTP_RETRIES": "0"}
    with pytest.raises(ToolchainError, match=r"^NOT CHECKED: "):
        audit(unreachable)


def test_the_sbom_lists_what_the_wheel_brings_with_it(tmp_path: Path) -> None:
    """Names and versions of the lock file, nothing that only developers need, and the same bytes each time."""
    first, second = tmp_path / "new/first.json", tmp_path / "second.json"
    write_sbom(first, os.environ)
    write_sbom(second, os.environ)
    assert first.read_bytes() == second.read_bytes()
    document = json.loads(first.read_text())
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.5")
    listed = {(each["name"], each["version"]) for each in document["components"]}
    assert listed == {(each.name, each.version) for each in locked_packages(LOCK) if each.is_for_users}
    assert all(each["purl"].startswith("pkg:pypi/") for each in document["components"])
