"""Whether a mail is from whom it says, as the operator's own mail server found out.

RFC 8601. Only the topmost `Authentication-Results` counts, and only if it carries the server's own
name (its authserv-id): what stands below may have been written by the sender.
"""

from __future__ import annotations

from typing import Literal

import authres

from connectors.email.headers import Headers, every

Verdict = Literal["authentic", "forged", "unknown"]


def verdict(headers: Headers, from_domain: str, authserv_id: str) -> Verdict:
    """Whether the mail really comes from the domain in its From.

    `authentic`: DMARC passed, or DKIM or SPF did for that domain. `forged`: DMARC failed.
    `unknown`: everything else, and always without an `authserv_id`.
    """
    found = every(headers, "authentication-results")
    if not authserv_id or not found or not from_domain:
        return "unknown"
    try:
        parsed = authres.AuthenticationResultsHeader.parse(f"Authentication-Results: {found[0]}")
        if (parsed.authserv_id or "").lower() != authserv_id.lower():
            return "unknown"
        results = list(parsed.results)
    except Exception:  # whatever its parser raises: it decides nothing then
        return "unknown"
    passed = {
        (result.method.lower(), _domain(result)) for result in results if result.result == "pass"
    }
    dmarc = [result.result.lower() for result in results if result.method.lower() == "dmarc"]
    if "pass" in dmarc:
        # Some servers do not say for which domain: DMARC is about the one in From.
        names = {domain for method, domain in passed if method == "dmarc"}
        return "authentic" if names <= {from_domain, ""} else "unknown"
    if "fail" in dmarc:
        return "forged"
    aligned = any(
        method in ("dkim", "spf") and _aligned(name, from_domain) for method, name in passed
    )
    return "authentic" if aligned else "unknown"


def _domain(result: authres.AuthenticationResult) -> str:
    """The domain that a result is about."""
    wanted = {"dkim": ("d", "i"), "spf": ("mailfrom",), "dmarc": ("from",)}
    names = wanted.get(result.method.lower(), ())
    values = {prop.name.lower(): prop.value or "" for prop in result.properties}
    value: str = next((values[name] for name in names if name in values), "")
    return value.rpartition("@")[2].strip(". ").lower()


def _aligned(domain: str, from_domain: str) -> bool:
    """Whether a mail signed by, or sent for, `domain` may say that it is from `from_domain`: it is
    that domain or one above. (DMARC's relaxed alignment allows more, for which one has to know
    which suffixes are public.)"""
    return domain == from_domain or (from_domain.endswith(f".{domain}") and "." in domain)
