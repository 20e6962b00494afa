"""What is told of a host from its own configuration is what a booted Postfix does with six kinds of clients."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from postfix.effective.listeners import listeners_of
from postfix.effective.verdicts import Judgement
from postfix.effective.visitors import Asked, Kind, Visitor
from postfix.restriction_walk import Verdict
from tests.support.judged_host import HostAnswers, captured, prints_of
from tests.support.loopback import free_ports
from tests.support.postfix_instance import Boot, PostfixInstance
from tests.support.sasl_server import sasl_server
from tests.support.test_authority import EXPIRED_DAYS, ThrowAwayAuthority
from tests.support.trial_servers import LINES, LISTED_TABLES, MAIN_CF, OPTIONS, OTHER_FILES, SOURCE, SPELLED
from tests.support.visits import Seen, Visitors, visit

pytestmark = pytest.mark.needs_postfix

LOGIN = ("anna", "secret")
DOMAIN = "elsewhere.test"
AT_ONCE = 24
SOON_SECONDS = 2.0
MOST_UNSURE = 0.1


@dataclass(frozen=True, slots=True)
class Client:
    """One client: what is judged, and what comes."""

    name: str
    visitor: Visitor
    brings: Visitors


@dataclass(frozen=True, slots=True)
class Clients:
    """All clients, of whom one is listed by certificate and one by key, and the files that their server needs."""

    each: tuple[Client, ...]
    files: Mapping[str, str]


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Clients:
    """Return clients of two authorities, and the tables that list two of them."""
    own, foreign = ThrowAwayAuthority("Ours"), ThrowAwayAuthority("Others")
    directory = tmp_path_factory.mktemp("clients")
    issued = {
        "by certificate": own.issue_client("listed"),
        "by key": own.issue_client("kept"),
        Kind.UNLISTED: own.issue_client("unlisted"),
        Kind.FOREIGN: foreign.issue_client("foreign"),
    }
    paths = {name: each.write_chain(directory / f"{name}.pem") for name, each in issued.items()}
    prints = {name: prints_of(path) for name, path in paths.items()}
    kinds = {"by certificate": Kind.LISTED, "by key": Kind.LISTED} | {kind.value: kind for kind in [*Kind][1:]}
    each = tuple(
        Client(
            name,
            Visitor(kind=kind, address=SOURCE, domain=DOMAIN, prints=prints.get(name, {})),
            Visitors({kind: paths[name]} if name in paths else {}, LOGIN),
        )
        for name, kind in kinds.items()
    )
    server, other = own.issue_server("mx1.example.test"), own.issue_server("mx2.example.test")
    files = {
        **OTHER_FILES,
        **{
            table: "".join(
                f"{prints[name][digest][number]} x\n" for number, name in enumerate(("by certificate", "by key"))
            )
            for table, digest in LISTED_TABLES.items()
        },
        "chain.pem": server.chain_pem,
        "key.pem": server.private_key_pem,
        "cert.pem": server.certificate_pem,
        "backwards.pem": server.certificate_pem + server.private_key_pem,
        "other-key.pem": other.private_key_pem,
        "expired.pem": own.issue_server("mx1.example.test", days=EXPIRED_DAYS).chain_pem,
        "locked.pem": locked(server.private_key_pem) + server.certificate_pem,
        "ca.pem": own.certificate_pem,
        "foreign-ca.pem": foreign.certificate_pem,
    }
    return Clients(each, files)


def locked(private_key_pem: str) -> str:
    """Return a private key with a passphrase."""
    key = load_pem_private_key(private_key_pem.encode(), None)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")).decode()


def lines_of(servers: Mapping[str, str]) -> tuple[str, dict[str, int]]:
    """Return lines of master.cf with a port for each server, and the ports."""
    ports = dict(zip(servers, free_ports(), strict=False))
    text = "".join(
        line.replace("PORT", f"127.0.0.1:{ports[name]}")
        .replace("NUMBER", str(ports[name]))
        .replace("SAYS", f"-o syslog_name=postfix/{name}")
        + "\n"
        for name, line in servers.items()
    )
    return text, ports


def all_servers() -> dict[str, str]:
    """Return the lines of all servers that differ from main.cf."""
    smtpd = "PORT inet n - y - - smtpd SAYS"
    by_options = {
        name: smtpd + "".join(f" -o {{ {key} = {value} }}" for key, value in options.items())
        for name, options in OPTIONS.items()
    }
    return {**by_options, **{name: f"{smtpd} {options}" for name, options in SPELLED.items()}, **LINES}


@contextmanager
def booted(
    directory: Path, boot: Boot, clients: Clients, servers: Mapping[str, str], main_cf: Mapping[str, str]
) -> Iterator[tuple[PostfixInstance, dict[str, int]]]:
    """Run servers, however wrong they are, and one for passwords beside them."""
    with sasl_server(dict([LOGIN])) as sasl:
        parameters = {**MAIN_CF, **sasl.parameters, **main_cf}
        (directory / "main.cf").write_text("".join(f"{name} = {value}\n" for name, value in parameters.items()))
        for name, text in clients.files.items():
            (directory / name).write_text(text)
        overrides = dict.fromkeys(parameters)
        instance = boot(directory, servers={}, is_started=False, overrides=overrides)
        lines, ports = lines_of(servers)
        master_cf = instance.config_directory / "master.cf"
        replaced = "".join(
            line
            for line in master_cf.read_text().splitlines(keepends=True)
            if line.split()[:1] not in [each.split()[:1] for each in lines.splitlines()]
        )
        master_cf.write_text(replaced + lines)
        instance.start_as_it_is(f"hash:{instance.config_directory}/rows-hash")
        yield instance, ports


def judged(instance: PostfixInstance, clients: Clients) -> dict[tuple[str, str], Judgement]:
    """Return the judgements by port and client."""
    configuration = captured(instance.config_directory)
    found: dict[tuple[str, str], Judgement] = {}
    known: HostAnswers | None = None
    for client in clients.each:
        answers = HostAnswers(instance.config_directory, client.brings.certificates)
        if known:
            # Who is trusted is another one.
            answers.known = {each: told for each, told in known.known.items() if each.asked is not Asked.TRUSTED}
        for each in answers.judge(configuration, [client.visitor]):
            found[each.listener.removesuffix("/inet").rpartition(":")[2], client.name] = each
        known = answers
    return found


def visited(instance: PostfixInstance, clients: Clients, ports: Mapping[str, int]) -> dict[tuple[str, str], Seen]:
    """Return how each client fares at each server; where nobody greets the first of them, nobody else tries."""
    wrapped = {each.port for each in listeners_of(captured(instance.config_directory)) if each.is_wrapped}

    def outcomes(name: str) -> dict[tuple[str, str], Seen]:
        port = ports[name]
        is_wrapped = str(port) in wrapped
        seen: dict[tuple[str, str], Seen] = {}
        for client in clients.each:
            found = visit(client.visitor.kind, client.brings, port, SOURCE, is_wrapped=is_wrapped, seconds=SOON_SECONDS)
            if found.code == 0 and not _is_dead(instance, name):
                found = visit(client.visitor.kind, client.brings, port, SOURCE, is_wrapped=is_wrapped)
            seen[name, client.name] = found
            if found.is_silent and not is_wrapped:
                return {(name, each.name): found for each in clients.each}
        return seen

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return {key: seen for each in pool.map(outcomes, ports) for key, seen in each.items()}


def _is_dead(instance: PostfixInstance, name: str) -> bool:
    return re.search(rf"postfix/{name}/smtpd\S* fatal: ", instance.log_since(0)) is not None


def compared(
    judgements: Mapping[tuple[str, str], Judgement], seen: Mapping[tuple[str, str], Seen], ports: Mapping[str, int]
) -> tuple[dict[tuple[str, str], str], Counter[tuple[Verdict, Verdict]]]:
    """Return the wrong verdicts, and how often each verdict met each outcome."""
    wrong: dict[tuple[str, str], str] = {}
    counted: Counter[tuple[Verdict, Verdict]] = Counter()
    for (name, client), found in seen.items():
        judgement = judgements[str(ports[name]), client]
        real = Verdict.PERMIT if found.is_taken else Verdict.REFUSE
        counted[judgement.verdict, real] += 1
        if judgement.verdict not in (real, Verdict.CANNOT_TELL):
            wrong[name, client] = f"{found} and not {judgement}"
    return wrong, counted


def test_verdicts_on_all_servers_are_what_postfix_does(
    tmp_path: Path, postfix_instance: Boot, clients: Clients
) -> None:
    """No wrong permission, no wrong refusal, and of few it cannot be told."""
    with booted(tmp_path, postfix_instance, clients, all_servers(), {}) as (instance, ports):
        wrong, counted = compared(judged(instance, clients), visited(instance, clients, ports), ports)
    assert not wrong, "\n".join(f"{key}: {text}" for key, text in wrong.items())
    assert counted[Verdict.PERMIT, Verdict.PERMIT] > len(ports)
    assert counted[Verdict.REFUSE, Verdict.REFUSE] > len(ports)
    unsure = sum(number for (verdict, _), number in counted.items() if verdict is Verdict.CANNOT_TELL)
    assert unsure <= MOST_UNSURE * counted.total()


PLAIN = "PORT inet n - y - - smtpd SAYS"
REWRITE = "rewrite unix - - n - - trivial-rewrite"
INDEXED = "proxy:hash:$config_directory/rows-hash"
USERS = "proxy:unix:passwd.byname"
PROXIED = "proxy:texthash:$config_directory/rows"
HOSTS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "domains of trivial-rewrite": (f"{REWRITE} -o {{ relay_domains = {DOMAIN} }}", {}),
    "a domain above": ("", {"relay_domains": "test"}),
    "a domain above by dot": ("", {"relay_domains": ".test", "parent_domain_matches_subdomains": ""}),
    "a domain above that counts not": ("", {"mydestination": "test .test"}),
    "an alias for a domain": ("", {"virtual_alias_maps": f"inline:{{{DOMAIN}=x}}"}),
    "a table behind proxymap": ("", {"proxy_read_maps": f"{PROXIED} {USERS}", "relay_clientcerts": PROXIED}),
    "an index behind proxymap": ("", {"proxy_read_maps": f"{INDEXED} {USERS}", "relay_clientcerts": INDEXED}),
    "a table behind proxymap that it may not read": ("", {"proxy_read_maps": USERS, "relay_clientcerts": PROXIED}),
    "a table of users that proxymap may not read": ("", {"proxy_read_maps": ""}),
    "a table of root behind proxymap": (
        "",
        {"proxy_read_maps": f"{PROXIED}-of-root {USERS}", "relay_clientcerts": f"{PROXIED}-of-root"},
    ),
    "an old level": ("", {"compatibility_level": "2", "smtpd_tls_fingerprint_digest": "md5"}),
    "a route that is broken": ("", {"transport_maps": "hash:/nonexistent/routes"}),
    "a route by sender that is broken": ("", {"sender_dependent_default_transport_maps": "hash:/nonexistent/routes"}),
    "a route for all": ("", {"transport_maps": "inline:{*=error:no}"}),
}


@pytest.mark.parametrize("host", HOSTS)
def test_verdicts_on_one_host_are_what_postfix_does(
    host: str, tmp_path: Path, postfix_instance: Boot, clients: Clients
) -> None:
    """What other programs than smtpd(8) decide with, and main.cf for all."""
    line, main_cf = HOSTS[host]
    files = {**clients.files, "rows-of-root": clients.files["rows"]}
    with booted(tmp_path, postfix_instance, replace(clients, files=files), {"one": PLAIN}, main_cf) as (
        instance,
        ports,
    ):
        (instance.config_directory / "rows-of-root").chmod(0o600)
        if line:
            _replace_service(instance, line)
        wrong, _ = compared(judged(instance, clients), visited(instance, clients, ports), ports)
    assert not wrong, "\n".join(f"{key}: {text}" for key, text in wrong.items())


def _replace_service(instance: PostfixInstance, line: str) -> None:
    path = instance.config_directory / "master.cf"
    kept = [each for each in path.read_text().splitlines() if each.split()[:2] != line.split()[:2]]
    path.write_text("\n".join([*kept, line, ""]))
    instance.command("postfix", "-c", str(instance.config_directory), "reload")
