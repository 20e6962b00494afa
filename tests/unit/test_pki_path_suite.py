"""The chain checker, judged by NIST's path validation suite (PKITS): it never accepts what the suite calls invalid."""

import tomllib
from collections import Counter
from pathlib import Path

import pytest

from pki.verification import load_certificate, load_chain, problems_of_imported_chain
from postseal_core.errors import CertificateError
from tests.support.pkits import SUITE_DATE, TRUST_ANCHOR, Result, SuiteTest, suite_pem, suite_tests

LOCK = Path(__file__).parents[2] / "uv.lock"

pytestmark = pytest.mark.filterwarnings("ignore:Parsed a serial number which wasn't positive")

STRICTER = {
    "DSA keys, which TLS 1.3 does not know either": "4.1.4 4.1.5",
    "issuer and subject are the same name in other bytes; GnuTLS, NSS and Go refuse that too": (
        "4.3.3 4.3.4 4.3.5 4.3.10 4.3.11"
    ),
    "an authority asks for an explicit policy, and policies are not followed": (
        "4.8.6 4.8.10 4.8.11 4.8.13 4.8.14 4.8.18 4.9.4 4.10.1 4.10.3 4.10.5 4.10.6 4.10.9 4.10.11 4.10.12 4.10.13"
        " 4.10.14 4.11.2 4.11.4 4.11.7 4.12.2 4.12.3 4.12.7 4.12.9"
    ),
}
"""Why valid paths are refused all the same, with the tests of each reason."""


def _is_accepted(test: SuiteTest) -> bool:
    try:
        chain = load_chain("".join(map(suite_pem, reversed(test.path))), what="chain")
    except CertificateError:
        return False
    root = load_certificate(suite_pem(TRUST_ANCHOR), what="root")
    leaf_key = chain[0].public_key()
    return not problems_of_imported_chain(chain, public_key=leaf_key, dns_names=(), now=SUITE_DATE, roots=[root])  # type: ignore[arg-type]  # DSA


def _tests(result: Result) -> list[SuiteTest]:
    return [test for test in suite_tests() if test.result is result]


def test_the_table_is_the_whole_suite() -> None:
    """A test that was lost from the table would judge nothing."""
    sections = Counter(test.number.rpartition(".")[0] for test in suite_tests())
    assert len({test.number for test in suite_tests()}) == len(suite_tests())
    assert sections == {
        "4.1": 6,
        "4.2": 8,
        "4.3": 11,
        "4.4": 21,
        "4.5": 8,
        "4.6": 17,
        "4.7": 5,
        "4.8": 20,
        "4.9": 8,
        "4.10": 14,
        "4.11": 11,
        "4.12": 10,
        "4.13": 38,
        "4.14": 35,
        "4.15": 10,
        "4.16": 2,
    }


@pytest.mark.parametrize("test", _tests(Result.INVALID), ids=lambda test: test.number)
def test_an_invalid_path_is_refused(test: SuiteTest) -> None:
    """Signatures, dates, names, path lengths, key usage, policies, name constraints, critical extensions."""
    assert not _is_accepted(test)


def test_valid_paths_are_accepted_but_for_those_that_are_refused_on_purpose() -> None:
    """A checker that refuses everything would never accept an invalid path either."""
    refused = [test.number for test in _tests(Result.VALID) if not _is_accepted(test)]
    assert sorted(refused) == sorted(" ".join(STRICTER.values()).split())
    assert len(_tests(Result.VALID)) - len(refused) == 73


def test_paths_that_only_a_revocation_list_makes_invalid_are_not_refused_without_one() -> None:
    """The checker is given no lists and promises nothing on revocation; were one refused, its rule would be wrong."""
    assert [test.number for test in _tests(Result.REVOCATION) if not _is_accepted(test)] == []


def test_the_suite_comes_with_the_same_version_as_the_library() -> None:
    """The two are released together."""
    locked = {each["name"]: each["version"] for each in tomllib.loads(LOCK.read_text())["package"]}
    assert locked["cryptography-vectors"] == locked["cryptography"]
