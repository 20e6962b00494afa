"""A main.cf of somebody else gets its own values back when a deployment goes."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postfix.deploy.host_files import Deployed, HostFiles, Situation
from postfix.deploy.plan import HostPlan, plan_deployment
from postfix.deploy.removal import sentences_of_removal
from postfix.deploy.steps import WriteFile
from postfix.main_cf import read_parameters
from postfix.master_cf import Service
from postseal_core.files.mark import NO_MARK, MarkedFile, read_mark
from postseal_core.files.tree import DIRECTORY, ROOT, FileEntry, digest, manifest

NAMES = ("mynetworks", "myhostname", "smtpd_tls_security_level", "smtpd_banner")
VALUES = st.sampled_from(["", "none", "may", "192.0.2.0/28", "$myhostname ESMTP"])
PARAMETERS = st.dictionaries(st.sampled_from(NAMES), VALUES)


def situation(main_cf: str | bytes) -> Situation:
    """Return a host with this main.cf."""
    content = main_cf if isinstance(main_cf, bytes) else main_cf.encode()
    return Situation(files={ROOT: DIRECTORY}, configuration={"main.cf": FileEntry("main.cf", content, 0o644)})


def after(plan: HostPlan) -> str:
    """Return main.cf as a plan leaves it."""
    assert plan.main_cf
    return plan.main_cf.content.decode("utf-8", "surrogateescape")


def deployed_and_removed(main_cf: str, *declarations: dict[str, str]) -> str:
    """Return main.cf after one deployment of each declaration, and the removal of all."""
    deployed = Deployed()
    for declared in (*declarations, {}):
        plan = plan_deployment(HostFiles(parameters=declared), deployed, situation(main_cf))
        main_cf, deployed = after(plan), plan.deployed
    assert deployed == Deployed()
    return main_cf


@given(PARAMETERS, PARAMETERS, PARAMETERS)
def test_whatever_is_declared_meanwhile_the_own_values_come_back(
    own: dict[str, str], first: dict[str, str], second: dict[str, str]
) -> None:
    """After any two deployments and the removal, main.cf says what it said."""
    main_cf = "# ours\n" + "".join(f"{name} = {value}\n" for name, value in own.items())
    assert read_parameters(deployed_and_removed(main_cf, first, second)) == own


def test_a_parameter_that_has_the_declared_value_already_keeps_every_byte() -> None:
    """Where nothing is replaced, nothing is written differently in the end."""
    main_cf = "myhostname   =  mx1.example.org\n"
    assert deployed_and_removed(main_cf, {"myhostname": "mx1.example.org", "mynetworks": ""}) == main_cf


@pytest.mark.parametrize("value", [b"with\ta tab", b"gr\xfc\xdfe", b"base64:bm8="], ids=["a tab", "bytes", "like ours"])
def test_a_value_that_no_record_holds_as_it_is_comes_back_all_the_same(value: bytes) -> None:
    """Also where the mark was lost: the state has it in base64."""
    main_cf = b"smtpd_banner = " + value + b"\n"
    plan = plan_deployment(HostFiles(parameters={"smtpd_banner": "$myhostname"}), Deployed(), situation(main_cf))
    held = plan.deployed.originals["smtpd_banner"]
    assert held.isascii()
    assert held.isprintable()
    removal = plan_deployment(HostFiles(), plan.deployed, situation(after(plan)))
    assert removal.main_cf
    assert removal.main_cf.content == main_cf


class Host:
    """A host with a main.cf and a master.cf of somebody else, on which plans are carried out in memory."""

    def __init__(self, main_cf: bytes, master_cf: bytes = b"") -> None:
        self.files = {"main.cf": main_cf, "master.cf": master_cf}
        self.mark = NO_MARK
        self.deployed = Deployed()

    def deploy(self, parameters: Mapping[str, str], services: tuple[Service, ...] = ()) -> None:
        """Deploy, or remove all if nothing is declared."""
        configuration = {path: FileEntry(path, content, 0o644) for path, content in self.files.items()}
        there = Situation(files={ROOT: DIRECTORY}, configuration=configuration, mark=self.mark)
        plan = plan_deployment(HostFiles(parameters=parameters, services=services), self.deployed, there, "p/s")
        for step in plan.steps:
            if isinstance(step, WriteFile) and isinstance(step.entry, FileEntry):
                self.files[step.entry.path] = step.entry.content
        if plan.mark.before:
            self.mark = read_mark(plan.mark.after, "sha256:" if plan.mark.after else None)
        self.deployed = plan.deployed


BODIES = {
    "a comment inside a value": "mynetworks = 192.0.2.0/28\n# the second site\n  198.51.100.0/28\nmyhostname = a\n",
    "an empty line inside a value": "mynetworks =\n  192.0.2.0/28\n\n  198.51.100.0/28\n",
    "duplicate entries": "mynetworks = a\nsmtpd_banner = x\nmynetworks = b\n# c\n  d\n",
    "a comment that looks like a continuation": "mynetworks = a,\n  # b,\n  c\n\n# e\n",
    "blanks at every end": "mynetworks   =   a \t \nmyhostname=b\t\n\n\n",
    "a tab in a value": "mynetworks = a\tb\nsmtpd_tls_security_level =\n\tmay\n",
    "an empty value": "mynetworks =\nmyhostname =\n",
    "a continuation of nothing": "  of nothing\n# x\nmynetworks = a\n",
    "only a comment": "# nothing is set\n",
    "an empty file": "",
}
ENDINGS: Mapping[str, Callable[[str], bytes]] = {
    "as it is": lambda text: text.encode(),
    "with CRLF": lambda text: text.replace("\n", "\r\n").encode(),
    "without an end": lambda text: text.rstrip("\n").encode(),
    "in Latin-1": lambda text: ("# Gr\xfc\xdfe\n" + text.replace("= a", "= \xe4")).encode("latin-1"),
}
DECLARATIONS = (
    {"mynetworks": "", "myhostname": "mx1.example.org"},
    {"mynetworks": "203.0.113.0/24", "smtpd_tls_security_level": "may"},
)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("body", BODIES)
def test_an_odd_main_cf_is_given_back_byte_for_byte(body: str, ending: str) -> None:
    """Two deployments that declare different things, and the removal; in between it was another one."""
    main_cf = ENDINGS[ending](BODIES[body])
    host = Host(main_cf)
    for declared in DECLARATIONS:
        host.deploy(declared)
        assert host.files["main.cf"] != main_cf
    host.deploy({})
    assert host.files["main.cf"] == main_cf
    assert host.mark == NO_MARK


LINES = st.sampled_from(
    [
        "# a comment",
        "  # an indented one",
        "",
        "\t",
        "  more, ",
        "\tand more",
        "foreign = 1",
        "other=\u20ac",
        *(f"{name} = {value}" for name in NAMES for value in ("", "a", "b,", "\udcfc")),
    ]
)


@st.composite
def main_cfs(draw: st.DrawFn) -> str:
    """Draw a main.cf of odd lines."""
    lines = draw(st.lists(LINES, max_size=14))
    return draw(st.sampled_from(["\n", "\r\n"])).join(lines) + draw(st.sampled_from(["", "\n"]))


@given(main_cfs(), st.lists(PARAMETERS, min_size=1, max_size=3))
def test_a_main_cf_that_nobody_else_edits_comes_back_byte_for_byte(
    main_cf: str, declarations: list[dict[str, str]]
) -> None:
    """Whatever was declared in between, and however it was written."""
    host = Host(main_cf.encode("utf-8", "surrogateescape"))
    for declared in (*declarations, {}):
        host.deploy(declared)
    assert host.files["main.cf"] == main_cf.encode("utf-8", "surrogateescape")


@given(main_cfs(), st.lists(st.tuples(PARAMETERS, st.integers(0, 40)), min_size=1, max_size=3))
def test_what_others_add_meanwhile_stays_and_all_else_comes_back(
    main_cf: str, rounds: list[tuple[dict[str, str], int]]
) -> None:
    """Their lines, taken out of what is given back, leave what was there."""
    host = Host(main_cf.encode("utf-8", "surrogateescape"))
    added = []
    for number, (declared, place) in enumerate(rounds):
        host.deploy(declared)
        # In front of a definition or at the end: anywhere else it would be another definition that it cuts in two.
        lines = host.files["main.cf"].split(b"\n")
        ways = [at for at, line in enumerate(lines) if line[:1] not in (b"", b" ", b"\t", b"\r", b"#")]
        added.append(b"added_%d = x" % number)
        end = len(lines) - (lines[-1] == b"")
        lines.insert([*ways, end][place % (len(ways) + 1)], added[-1])
        host.files["main.cf"] = b"\n".join(lines)
    host.deploy({})
    left = host.files["main.cf"].split(b"\n")
    assert all(line in left for line in added)
    before = main_cf.encode("utf-8", "surrogateescape").split(b"\n")
    assert _written(line for line in left if line not in added) == _written(before)


def _written(lines: Iterable[bytes]) -> list[bytes]:
    """Return the lines that are not empty: where others edit, an empty line beside our block may be ours or theirs."""
    return [line for line in lines if line.strip()]


def test_a_master_cf_without_an_end_is_given_back_byte_for_byte() -> None:
    """And what others put below our block stays."""
    host = Host(b"# main\n", b"smtp inet n - y - - smtpd")
    service = Service("submission", "inet", "smtpd")
    host.deploy({"mynetworks": ""}, (service,))
    assert host.files["master.cf"].startswith(b"smtp inet n - y - - smtpd\n\n# --- Postseal")
    host.files["master.cf"] += b"mine unix - - n - - pipe\n"
    host.deploy({"mynetworks": "192.0.2.0/28"}, (service,))
    host.deploy({})
    assert host.files["master.cf"] == b"smtp inet n - y - - smtpd\nmine unix - - n - - pipe"
    host.files["master.cf"] = b"smtp inet n - y - - smtpd"
    host.deploy({"mynetworks": ""}, (service,))
    host.deploy({})
    assert host.files["master.cf"] == b"smtp inet n - y - - smtpd"


def test_a_parameter_that_only_the_mark_lists_goes_though_nothing_declares_it_any_more() -> None:
    """The run that set it was cut off before anything was stored, and then it was taken out of the stack file."""
    host = Host(b"mynetworks = 192.0.2.0/28\n")
    host.deploy({"mynetworks": "", "smtpd_banner": "ours"})
    host.deployed = Deployed()
    host.deploy({"myhostname": "mx1.example.org"})
    assert b"mynetworks = 192.0.2.0/28\n" in host.files["main.cf"]
    assert b"smtpd_banner" not in host.files["main.cf"]
    host.deploy({})
    assert host.files["main.cf"] == b"mynetworks = 192.0.2.0/28\n"


def test_a_parameter_that_was_removed_by_hand_meanwhile_does_not_come_back() -> None:
    """What the administrator took out stays out."""
    deployed = Deployed(parameters=("mynetworks",), originals={"mynetworks": "192.0.2.0/28"})
    assert plan_deployment(HostFiles(), deployed, situation("# nothing\n")).is_empty


def test_what_a_forgotten_deployment_left_is_not_taken_for_somebody_elses() -> None:
    """A block of ours without a state that knows of it: its values and paths must not come back later."""
    left = after(plan_deployment(HostFiles(parameters={"mynetworks": ""}), Deployed(), situation("# ours\n")))
    plan = plan_deployment(HostFiles(parameters={"mynetworks": "192.0.2.0/28"}), Deployed(), situation(left))
    assert plan.deployed.originals == {}


def test_a_main_cf_that_was_ours_as_a_whole_has_no_values_of_others() -> None:
    """Going over from whole files to parts gives nothing back later."""
    host = situation("mynetworks = 192.0.2.0/28\n")
    owned = Deployed(files=manifest(host.configuration.values()))
    present = replace(host, files={**host.files, **owned.files})
    plan = plan_deployment(HostFiles(parameters={"mynetworks": ""}), owned, present)
    assert plan.deployed.originals == {}


def test_a_removal_says_what_it_gives_back() -> None:
    """Merged files, those that were taken over, and how many of ours go."""
    host = Host(b"mynetworks = 192.0.2.0/28\n")
    host.deploy({"mynetworks": ""})
    key = FileEntry("tls/mx1.pem", b"key", 0o400)
    marked = replace(host.mark, files={key.path: MarkedFile(owner="p/s", digests=(digest(key),))})
    configuration = {path: FileEntry(path, content, 0o644) for path, content in host.files.items()}
    there = Situation(
        files={ROOT: DIRECTORY, "tls/": DIRECTORY, key.path: digest(key)},
        configuration=configuration,
        mark=marked,
        root="/etc/postfix",
    )
    plan = plan_deployment(HostFiles(), replace(host.deployed, files=manifest([key])), there, "p/s")
    assert list(sentences_of_removal(plan, "/etc/postfix")) == [
        "/etc/postfix/main.cf is given back as it was before, with what others have edited there since",
        "removed from /etc/postfix: 1 files of ours",
    ]
