"""Finds secrets and personal data in a text.

Check digits are python-stdnum's. The forms of keys are their issuers' (named beside each), in the
spirit of gitleaks' rules; what cannot be told by its form alone is replaced only behind a word that
names it (`password: …`, `PESEL …`), so that order numbers and error codes stay.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from plugins.redaction.kinds import Find, Kind


def find_private(text: str, kinds: Collection[Kind]) -> list[Find]:
    """What `text` holds of these `kinds`, in order; finds that overlap become one.

    Takes time in proportion to the text's length: 0.8 ms for 700 characters, 2 s at most for
    100,000 made to be slow (2 cores, Python 3.11).
    """
    return merged(find for kind in kinds for find in _FINDERS[kind](text))


def merged(finds: Iterable[Find]) -> list[Find]:
    """The finds in order; those that overlap become one."""
    result: list[Find] = []
    for find in sorted(finds, key=lambda f: (f.start, -f.end)):
        if result and find.start < result[-1].end:
            result[-1] = replace(result[-1], end=max(find.end, result[-1].end))
        else:
            result.append(find)
    return result


# --- Card numbers: ISO/IEC 7812. Networks by first digits and length. ---

_GAP = "[ \t\u00a0\u2009\u202f.\u2010-\u2015-]{1,3}"  # what people put between groups of digits
_DIGIT_GROUPS = re.compile(rf"(?<!\w)\d+(?:{_GAP}\d+)*(?!\w)")
_NETWORK = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})"  # Visa
    r"|(?:5[1-5]|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12,14}"  # Mastercard
    r"|3[47]\d{13}"  # American Express
    r"|3(?:0[0-5]|[68]\d)\d{11}"  # Diners Club
    r"|35(?:2[89]|[3-8]\d)\d{12}"  # JCB
    r"|(?:6011|64[4-9]\d|65\d\d|62\d\d)\d{12,15}"  # Discover, UnionPay
    r"|(?:5018|5020|5038|5893|6304|6759|676[1-3])\d{8,15}"  # Maestro
)
# `order no. 4111…` in one piece is the shop's own number, whatever its check digit says.
_OTHER_NUMBER = re.compile(
    r"(?:order|tracking|parcel|invoice|ticket|case|serial|imei|iccid|bestellung|auftrag)\w*"
    r"[ .:#-]*(?:number|no|nr|id|code)?[ .:#-]*$",
    re.IGNORECASE,
)


def _cards(text: str) -> Iterator[Find]:
    luhn = importlib.import_module("stdnum.luhn")
    for run in _DIGIT_GROUPS.finditer(text):
        groups = list(re.finditer(r"\d+", run[0]))
        first = 0
        while first < len(groups):
            count = _groups_of_card([group[0] for group in groups[first : first + 19]], luhn)
            start = run.start() + groups[first].start()
            if count == 1 and _OTHER_NUMBER.search(text[max(0, start - 40) : start]):
                count = 0
            if count:
                yield Find(start, run.start() + groups[first + count - 1].end(), "card")
            first += count or 1


def _groups_of_card(groups: list[str], luhn: Any) -> int:
    """How many of the `groups` of digits, from the first on, are a card's number; 0: none is. The
    most that pass are taken, so that a CVC or a date behind the number does not hide it."""
    digits, count = "", 0
    for position, group in enumerate(groups, 1):
        digits += "".join(str(int(digit)) for digit in group)  # full-width digits as well
        if len(digits) > 19 or digits[0] not in "23456":
            break
        if len(digits) < 13 or not _NETWORK.fullmatch(digits) or not luhn.is_valid(digits):
            continue
        # Cards are written in fours, as 4-6-5, or digit by digit; dates and addresses are not.
        sizes = {len(group) for group in groups[: position - 1]}
        if not sizes or min(sizes) >= 4 or sizes == {1}:
            count = position
    return count


# --- IBAN: ISO 13616. Country, length and check digits by python-stdnum. ---

_IBAN = re.compile(r"(?<![^\W_])[A-Z]{2}\d{2}(?:[ \u00a0-]?[A-Z0-9]){11,30}", re.IGNORECASE)


def _ibans(text: str) -> Iterator[Find]:
    iban = importlib.import_module("stdnum.iban")
    match = _IBAN.search(text)
    while match:
        start, last = match.span()
        # The match may have run on into the next words: step back, never into the middle of one.
        ends = (
            end
            for end in range(last, start + 14, -1)
            if text[end - 1].isalnum() and not text[end : end + 1].isalnum()
        )
        found = next((end for end in ends if iban.is_valid(text[start:end])), None)
        if found:
            yield Find(start, found, "iban")
        match = _IBAN.search(text, found or start + 1)


# --- Keys that their own form gives away. ---

_KEY = re.compile(
    r"(?<![\w-])(?:"
    r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}"  # AWS: IAM identifiers
    r"|gh[oprsu]_[A-Za-z0-9]{36,255}|github_pat_\w{22,255}"  # GitHub: token prefixes
    r"|gl(?:pat|dt|rt|ptt|cbt|ft|imt|agent|oas|soat)-[\w.-]{20,255}"  # GitLab: token prefixes
    r"|xox[a-z](?:\.xox[a-z])?-[\w-]{10,255}|xapp-\d-[\w-]{10,255}"  # Slack: token types
    r"|(?:sk|rk|pk)_(?:live|test)_\w{16,255}|whsec_[\w+/=]{16,255}"  # Stripe: API keys
    r"|AIza[\w-]{35}|ya29\.[\w-]{20,512}|GOCSPX-[\w-]{20,64}"  # Google Cloud
    r"|sk-(?=[\w-]{0,60}\d)[\w-]{20,255}"  # OpenAI, Anthropic and others after them
    r"|SG\.[\w-]{16,64}\.[\w-]{16,64}"  # SendGrid
    r"|npm_[A-Za-z0-9]{36}|pypi-AgE[\w-]{50,512}|hf_[A-Za-z0-9]{30,64}"  # npm, PyPI, Hugging Face
    r"|do[opr]_v1_[a-f0-9]{64}|shp(?:at|ca|pa|ss)_[A-Fa-f0-9]{32}"  # DigitalOcean, Shopify
    r"|(?:SK|AC)[a-f0-9]{32}|[a-f0-9]{32}-us\d{1,2}"  # Twilio, Mailchimp
    r"|\d{8,10}:AA[\w-]{33}"  # Telegram bots
    r"|eyJ[\w-]{8,4096}\.eyJ[\w-]{2,4096}\.[\w-]{0,4096}"  # JSON Web Token: RFC 7519
    r")(?![\w-])"
)
_HOOK_URL = re.compile(r"https://hooks\.slack\.com/(?:services|workflows|triggers)/[\w/-]{10,255}")
_PRIVATE_KEY = re.compile(  # PEM: RFC 7468; a key that was cut off counts to the end
    r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:.*?-----END [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----|.*)",
    re.DOTALL,
)
_BEARER = re.compile(  # RFC 6750 and RFC 7617; `basic authentication-settings` are words
    r"\b(?i:Bearer|Basic)\s{1,4}(?P<secret>(?=\w[a-z_]*[A-Z\d])[\w.~+/-]{16,4096}={0,2})"
)
_URL_PASSWORD = re.compile(r"://[^\s:/@]{1,255}:(?P<secret>[^\s/@]{1,255})@")  # RFC 3986, 3.2.1


def _keys(text: str) -> Iterator[Find]:
    for pattern in (_KEY, _HOOK_URL, _PRIVATE_KEY, _BEARER, _URL_PASSWORD):
        for match in pattern.finditer(text):
            yield Find(*match.span("secret" if "secret" in pattern.groupindex else 0), "key")


# --- Passwords and other secrets behind a word that names them. ---

_LABEL = (
    r"(?:pass(?:word|wort|code|phrase|wd)?|pwd|kennwort|mot de passe|contraseña|senha|wachtwoord"
    r"|hasło|пароль|pin(?:[ -]?code)?|cvc2?|cvv2?"
    r"|(?:api|access|auth|account|client|secret|private|app)[ _-]?(?:access[ _-]?)?"
    r"(?:key|token|secret)"
    r"|token|secret)"
)
_QUOTES = "\"'`“”„‘’«»"
_VALUE = r"""(?P<secret>"[^"\n]{3,255}"|'[^'\n]{3,255}'|\S{3,512})"""
_ASSIGNED = re.compile(
    rf"(?<![^\W_])(?P<label>{_LABEL})[\"']?\s{{0,3}}(?::=|=>|[:=])\s{{0,3}}{_VALUE}", re.IGNORECASE
)
_SAID = re.compile(
    rf"(?<![^\W_])(?P<label>{_LABEL})\s{{1,3}}(?:is|was|ist|war|es|est)\s{{1,3}}{_VALUE}",
    re.IGNORECASE,
)
_SAYING_NOTHING = re.compile(
    r"(?:\*+|•+|x+|\.+|required|incorrect|invalid|wrong|forgotten|forgot|expired|missing|reset"
    r"|changed|unknown|empty|none|null|true|false|yes|no|not|blank|hidden|error|failed|denied"
    r"|falsch|ungültig|vergessen|\[.*|<.*|https?:.*)",
    re.I,
)


def _passwords(text: str) -> Iterator[Find]:
    for pattern in (_ASSIGNED, _SAID):
        for match in pattern.finditer(text):
            secret = match["secret"].strip(_QUOTES).rstrip(".,;:!?)" + _QUOTES)
            if len(secret) < 3 or _SAYING_NOTHING.fullmatch(secret):
                continue
            if len(secret) == 3 and match["label"].lower()[:2] not in ("pi", "cv"):
                continue
            # Letters alone may be the next word of a sentence: `password: too short`.
            quoted = match["secret"][0] in "\"'"
            alone = pattern is _ASSIGNED and text[match.end() : match.end() + 1] in ("", "\n", "\r")
            if quoted or alone or re.search(r"[\d!@#$%^&*+=~]", secret):
                start = text.index(secret, match.start("secret"))
                yield Find(start, start + len(secret), "password")


# --- National identity numbers. ---


@dataclass(frozen=True)
class _NationalId:
    """`check` names python-stdnum's module; `label` must stand before a form that order numbers
    have too."""

    form: re.Pattern[str]
    check: str = ""
    label: str = ""


def _id(form: str, check: str = "", label: str = "") -> _NationalId:
    return _NationalId(re.compile(rf"(?<![\w-]){form}(?![\w-])", re.I), check, label)


_NATIONAL_IDS = (
    _id(r"\d{3}-\d{2}-\d{4}", "us.ssn"),
    _id(r"\d{9}", "us.ssn", r"ssn|social security"),
    _id(r"[A-Z]{2} ?\d\d ?\d\d ?\d\d ?[A-D]", "", r"national insurance|(?-i:\bNI\b)|\bnino\b"),
    _id(r"\d{3} ?\d{3} ?\d{4}", "gb.nhs", r"\bnhs\b"),
    _id(r"\d{2} ?\d{3} ?\d{3} ?\d{3}", "de.idnr", r"steuer|\bidnr|(?-i:\bTIN\b)|tax id"),
    _id(r"[12] ?\d\d ?\d\d ?\w\w ?\d{3} ?\d{3} ?\d\d", "fr.nir"),
    _id(r"[A-Z]{6}\d\d[A-Z]\d\d[A-Z]\d{3}[A-Z]", "it.codicefiscale"),
    _id(r"[XYZ]?-?\d{7,8}-?[A-Z]", "es.nif", r"\b(?:dni|nif|(?-i:NIE))\b"),
    _id(r"\d{9}", "nl.bsn", r"\bbsn\b|burgerservice|sofinummer"),
    _id(r"\d{11}", "pl.pesel", r"pesel"),
    _id(r"(?:\d\d)?\d{6}[-+]?\d{4}", "se.personnummer", r"person(?:nummer|al number|al id)"),
    _id(r"\d{3}\.\d{3}\.\d{3}-\d\d", "br.cpf"),
    _id(r"\d{3}[ -]?\d{3}[ -]?\d{3}", "ca.sin", r"(?-i:\bSIN\b)|social insurance"),
    _id(r"\d{4} ?\d{4} ?\d{4}", "in_.aadhaar", r"a+dha+r|uidai"),
    _id(r"[A-Z]{5}\d{4}[A-Z]", "in_.pan", r"(?-i:\bPAN\b)"),
)


def _national_ids(text: str) -> Iterator[Find]:
    for known in _NATIONAL_IDS:
        for match in known.form.finditer(text):
            before = text[max(0, match.start() - 40) : match.start()]
            if known.label and not re.search(known.label, before, re.I):
                continue
            if not known.check or importlib.import_module(f"stdnum.{known.check}").is_valid(
                match[0]
            ):
                yield Find(*match.span(), "national id")


# --- E-mail addresses: the common forms of RFC 5321's Mailbox. ---

_EMAIL = re.compile(
    r"(?<![\w.+%-])[\w.+%'-]{1,64}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}[^\W\d_]{2,24}(?![\w-])"
)


def _emails(text: str) -> Iterator[Find]:
    for match in _EMAIL.finditer(text):
        yield Find(*match.span(), "email")


# --- Telephone numbers: any country's with +, those of COUNTRIES as they are written there. ---

COUNTRIES = ("US", "GB", "DE", "FR", "NL")
_MAYBE_PHONE = re.compile(r"(?:\d[ ()./-]{0,3}){8}")


def _phones(text: str) -> Iterator[Find]:
    if not _MAYBE_PHONE.search(text):
        return
    phonenumbers = importlib.import_module("phonenumbers")
    # A number in its country's own groups: order numbers are not.
    for country in COUNTRIES:
        for match in phonenumbers.PhoneNumberMatcher(
            text, country, leniency=phonenumbers.Leniency.STRICT_GROUPING
        ):
            if match.raw_string.startswith("+") or re.search(r"\D", match.raw_string):
                yield Find(match.start, match.end, "phone")
    for match in phonenumbers.PhoneNumberMatcher(text, None):
        yield Find(match.start, match.end, "phone")


# --- Names, where the words before them say so: one in the middle of a sentence is not found. ---

_NAME_WORD = r"[^\W\d_a-zß-ÿ][\w'’-]{1,24}"
_NAME = rf"(?P<name>{_NAME_WORD}(?: (?:van|de|der|von|du|la|{_NAME_WORD})){{0,3}})"
_NAMED = re.compile(
    r"(?:(?i:\b(?:(?:full |last |first |card ?holder(?:'s)? |account )?name|holder|cardholder|nom"
    r"|naam|naam van de klant|kontoinhaber|titulaire|kunde|customer|client|klant)) ?[:=]\s{0,2}"
    r"|(?i:\b(?:my name is|i am called|ich heiße|mein name ist|je m'appelle|mon nom est"
    r"|mijn naam is|ik heet|me llamo|this is)) "
    r"|\b(?:Mr|Mrs|Ms|Dr|Herrn?|Frau|Monsieur|Madame|Mme|M|Dhr|Mevr(?:ouw)?)\.? "
    r"|(?i:\b(?:(?:kind |best |warm )?regards|many thanks|yours sincerely|best wishes|grüße"
    r"|grüßen|cordialement|bien à vous|groet(?:en)?|mit freundlichen grüßen),?)\s*\n\s*)" + _NAME
)


def _names(text: str) -> Iterator[Find]:
    for match in _NAMED.finditer(text):
        yield Find(*match.span("name"), "name")


_FINDERS: dict[Kind, Callable[[str], Iterator[Find]]] = {
    "card": _cards,
    "iban": _ibans,
    "key": _keys,
    "password": _passwords,
    "national id": _national_ids,
    "email": _emails,
    "phone": _phones,
    "name": _names,
}
