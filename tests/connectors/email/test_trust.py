"""What the operator's own mail server says about a sender."""

from __future__ import annotations

import pytest

from connectors.email import trust

OURS = "mx.example.com"


@pytest.mark.parametrize(
    ("results", "verdict"),
    [
        ("dmarc=pass header.from=other.example", "authentic"),
        ("dmarc=pass (p=none) header.from=other.example; spf=fail", "authentic"),
        ("dkim=pass header.d=other.example", "authentic"),
        ("dkim=pass header.i=@other.example", "authentic"),
        ("spf=pass smtp.mailfrom=ana@other.example", "authentic"),
        ("dmarc=fail header.from=other.example; spf=pass smtp.mailfrom=evil.example", "forged"),
        ("dmarc=pass header.from=evil.example", "unknown"),
        ("dkim=pass header.d=evil.example", "unknown"),
        ("dkim=pass header.d=example", "unknown"),
        ("dkim=pass header.d=evilother.example", "unknown"),
        ("dkim=fail header.d=other.example", "unknown"),
        ("spf=pass smtp.mailfrom=other.example.evil.example", "unknown"),
        ("dmarc=none", "unknown"),
        ("none", "unknown"),
        ("((((", "unknown"),
    ],
)
def test_verdicts(results: str, verdict: str) -> None:
    headers = (("authentication-results", f"{OURS}; {results}"),)

    assert trust.verdict(headers, "other.example", OURS) == verdict


def test_only_the_topmost_result_counts() -> None:
    headers = (
        ("authentication-results", f"{OURS}; dmarc=none"),
        ("authentication-results", f"{OURS}; dmarc=pass header.from=other.example"),
    )

    assert trust.verdict(headers, "other.example", OURS) == "unknown"


def test_another_servers_word_is_nothing() -> None:
    headers = (("authentication-results", "mx.evil.example; dmarc=pass"),)

    assert trust.verdict(headers, "other.example", OURS) == "unknown"


def test_without_an_authserv_id_nobody_is_known() -> None:
    headers = (("authentication-results", "mx; dmarc=pass header.from=other.example"),)

    assert trust.verdict(headers, "other.example", "") == "unknown"
