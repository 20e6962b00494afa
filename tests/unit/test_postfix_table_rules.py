"""Rules of tables of patterns that are written in main.cf: which can be judged."""

import pytest

from postfix.table_rules import faults_of_rules


@pytest.mark.parametrize("rules", ["{if /y/} {/x/ REJECT} {endif}", "{IF /y/} {/x/ REJECT} {ENDIF}", "{!/x/i OK}"])
def test_conditions_are_rules_in_any_letters(rules: str) -> None:
    """As regexp_table(5) takes them."""
    assert [*faults_of_rules("regexp", f"{{{rules}}}")] == []


def test_what_is_no_rule_is_named() -> None:
    """The control of the one above; a table in a file is none of main.cf's business."""
    assert len([*faults_of_rules("pcre", "{{word REJECT}}")]) == 1
    assert [*faults_of_rules("pcre", "/etc/postfix/table")] == []
