"""Placeholders of call scripts."""

import pytest

from services.campaign_svc.campaigns.scripts import MalformedPlaceholderError, check_placeholders


@pytest.mark.parametrize(
    "script",
    ["", "Hello.", "Hi {customer_name}", "{a}{B2}{_c}", "{agent_name}, twice: {agent_name}", "{" + "n" * 64 + "}"],
)
def test_a_name_in_braces_is_a_placeholder(script: str) -> None:
    assert check_placeholders(script) == script


@pytest.mark.parametrize(
    ("script", "position"),
    [
        ("Hi {customer_name", 4),
        ("Hi customer_name}", 17),
        ("Hi {}", 4),
        ("Hi { customer_name }", 4),
        ("Hi {customer name}", 4),
        ("Hi {1st_name}", 4),
        ("Hi {customer-name}", 4),
        ("Hi {{customer_name}}", 4),
        ("Hi {customer_name}}", 19),
        ("Hi {a{b}c}", 4),
        ("Hi {name!r:>10}", 4),
        ("Hi {naïve}", 4),
        ("{good} then {bad one}", 13),
        ("{" + "n" * 65 + "}", 1),
    ],
)
def test_a_misplaced_brace_is_rejected_with_its_position(script: str, position: int) -> None:
    with pytest.raises(MalformedPlaceholderError, match=rf"at character {position}:"):
        check_placeholders(script)
