"""The redaction plugin: what must go, and what a ticket cannot do without."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn

from assistant import Message, SettingsError, hookimpl
from assistant.plugging import Plugins
from plugins.redaction import LONGEST, Redaction, redact
from plugins.redaction.finding import find_private

DEFAULT = Redaction.Settings().kinds
PRIVATE_KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAKC\n-----END RSA PRIVATE KEY-----"
# Made here in the issuers' forms, and put together at run time: no scanner takes them for real.
GITHUB = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
SLACK = "xoxb-" + "123456789012-1234567890123-AbCdEfGhIjKlMnOpQrStUvWx"
STRIPE = "sk_" + "live_" + "4eC39HqLyjWDarjtT1zdp7dc"
AWS = "AKIA" + "IOSFODNN7EXAMPLE"
JWT = "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0NTY3ODkwIn0." + "dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P"
GOOGLE = "AIza" + "SyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q"
OPENAI = "sk-" + "proj-Ab12Cd34Ef56Gh78Ij90Kl12"

REPLACED = [
    # cards
    ("Charged twice on 4111 1111 1111 1111 today", "Charged twice on [card number] today"),
    ("card:4111-1111-1111-1111.", "card:[card number]."),
    ("4111111111111111", "[card number]"),
    ("Amex 3782 822463 10005 exp 12/27", "Amex [card number] exp 12/27"),
    ("Mastercard 5555 5555 5555 4444 123", "Mastercard [card number] 123"),
    ("2 payments, 4242\u00a04242\u00a04242\u00a04242", "2 payments, [card number]"),
    ("cards 4111 1111 1111 1111 5555 5555 5555 4444", "cards [card number] [card number]"),
    ("full width 4111 1111 1111 1111", "full width [card number]"),
    ("my order 77 with card 4111 1111 1111 1111", "my order 77 with card [card number]"),
    ("4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1, read aloud", "[card number], read aloud"),
    ("visa 4222 2222 2222 2 old", "visa [card number] old"),
    # bank accounts
    ("IBAN DE89 3704 0044 0532 0130 00 and thanks", "IBAN [IBAN] and thanks"),
    ("refund to GB82WEST12345698765432, please", "refund to [IBAN], please"),
    ("account AB12 DE89 3704 0044 0532 0130 00", "account AB12 [IBAN]"),
    ("nl91abna0417164300", "[IBAN]"),
    ("FR14 2004 1010 0505 0001 3M02 606 is mine", "[IBAN] is mine"),
    # keys
    (f"I use {GITHUB} in CI", "I use [key] in CI"),
    (f"bot token {SLACK} fails", "bot token [key] fails"),
    (f"STRIPE_KEY={STRIPE}", "STRIPE_KEY=[key]"),
    (f"key id {AWS}.", "key id [key]."),
    (f"Authorization: Bearer {JWT}", "Authorization: Bearer [key]"),
    ("Authorization: Basic YWxhZGRpbjpvcGVuc2VzYW1l", "Authorization: Basic [key]"),
    (f"maps key {GOOGLE}", "maps key [key]"),
    (f"the model says 401 for {OPENAI}", "the model says 401 for [key]"),
    (f"here:\n{PRIVATE_KEY}\nthanks", "here:\n[key]\nthanks"),
    ("-----BEGIN PRIVATE KEY-----\nMIIEv cut off", "[key]"),
    ("postgresql://shop:s3cret@db.example/shop", "postgresql://shop:[key]@db.example/shop"),
    # passwords
    ("Password: hunter2", "Password: [password]"),
    ("password: correcthorse\nIt fails", "password: [password]\nIt fails"),
    ("my password is Summer2024! but", "my password is [password]! but"),
    ("Mein Passwort ist Geheim#1 und", "Mein Passwort ist [password] und"),
    ('{"user": "ann", "password": "to be or not"}', '{"user": "ann", "password": "[password]"}'),
    ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG", "aws_secret_access_key = [password]"),
    ("API key: 9f8e7d6c5b4a", "API key: [password]"),
    ("CVC: 123", "CVC: [password]"),
    ("user: ann, pass: hunter2, thanks", "user: ann, pass: [password], thanks"),
    # national ids
    ("SSN 536-90-4399", "SSN [national ID]"),
    ("my social security number: 536904399", "my social security number: [national ID]"),
    ("NI number AB 12 34 56 C", "NI number [national ID]"),
    ("DNI 12345678Z", "DNI [national ID]"),
    ("codice RCCMNL83S18D969H", "codice [national ID]"),
    ("CPF 390.533.447-05", "CPF [national ID]"),
    ("PESEL: 44051401359", "PESEL: [national ID]"),
    ("Steuer-ID 36 574 261 809", "Steuer-ID [national ID]"),
    ("BSN 111222333", "BSN [national ID]"),
]

KEPT = [
    "Error 0x80070005 when I open version 4.12.3 (build 20240118.1)",
    "Order 2024-118273 has not arrived, order no. 4111111111111111 has",
    "Tracking number 4242424242424242 says delivered",
    "Invoice INV-2024-000123456789 and ticket #1234567890123456",
    "IMEI 490154203237518, serial C02XG2JHJGH5",
    "SIM 89490200001234567890 is not recognised",
    "Call me on +44 20 7946 0958 or 555-0123-4567",
    "Request id 550e8400-e29b-41d4-a716-446655440000 failed at 2024-01-18T09:30:00Z",
    "commit 3f786850e387550fdab836ed7e6dc881de23001b breaks it",
    "My password is incorrect. The password reset link does not work.",
    "Password: required\nPassword: incorrect",
    "It says “password: too short” and “token: expired”",
    "Where is the API key page? The secret is patience.",
    "The PIN entry screen is blank; the pass is valid for 3 days",
    "PASS: 120, FAIL: 2. Basic Troubleshooting-Steps and basic authentication-settings",
    "Servers 52.14.200.11 52.14.200.12 52.14.200.13 52.14.200.14 52.14.200.15 52.14.200.16",
    "Sin 046 454 286 pedidos",
    "basic authentication required, bearer token missing",
    "Between 2019-2023 we paid 1000 2000 3000 4000",
    "IP 192.168.100.200, port 8080, MAC 00:1A:2B:3C:4D:5E",
    "ERR_SSL_PROTOCOL_ERROR, code SEC_E_ILLEGAL_MESSAGE (0x80090326)",
    "ISBN 978-3-16-148410-0, EAN 4006381333931, price 1.234.567,89",
    "Write to ann@example.com about https://example.com/a:b@c",
    "Article DE12ABCD was replaced by DE89X; task-list sk-my-long-project-name-here",
    "123456782 is our customer number, 12345678Z our article",
    "Timestamp 1700000000000 to 1700000000123",
]


@pytest.mark.parametrize(("text", "seen"), REPLACED)
def test_what_is_private_is_replaced(text: str, seen: str) -> None:
    assert redact(text, DEFAULT) == seen


@pytest.mark.parametrize("text", KEPT)
def test_what_the_ticket_needs_stays(text: str) -> None:
    assert redact(text, DEFAULT) == text


def test_addresses_are_replaced_when_the_settings_ask_for_it() -> None:
    text = "From Ann.O'Neil+x@mail.example.co.uk, not @home or a@b"

    assert redact(text, ("email",)) == "From [e-mail address], not @home or a@b"


@given(
    st.sampled_from(["4", "51", "55", "2221", "6011"]),
    st.text("0123456789", min_size=15, max_size=15),
    st.sampled_from(["", " ", "-"]),
    st.text("abc,.\n ", max_size=20),
)
def test_every_card_number_is_found_in_groups_of_four(
    network: str, digits: str, gap: str, around: str
) -> None:
    body = (network + digits)[:15]
    number = body + luhn.calc_check_digit(body)
    written = gap.join(number[i : i + 4] for i in range(0, 16, 4))

    seen = redact(f"{around} {written} {around}", ("card",))

    assert seen == f"{around} [card number] {around}"


HARD_CHARACTERS = st.text("DEAZ0123459٣４²½ -.:=@/'\"İßﬁ\u00a0\u200b\n")
PIECES = [
    "DE89",
    "٣٧٠٤",
    "0044",
    "４１１１",
    "4111",
    "1111",
    "-",
    "password:",
    "SSN",
    "eyJ",
    "://a:b@",
    "PESEL",
    "44051401359",
    "NI",
    "İ",
]
HARD_PIECES = st.lists(st.sampled_from([*PIECES, " "])).map("".join)


@given(st.text() | HARD_CHARACTERS | HARD_PIECES)
def test_any_text_comes_back_without_finds(text: str) -> None:
    kinds = (*DEFAULT, "email")

    finds = find_private(text, kinds)

    assert all(0 <= f.start < f.end <= len(text) for f in finds)
    assert all(a.end <= b.start for a, b in itertools.pairwise(finds))
    if not finds:
        assert redact(text, kinds) == text


def test_finds_that_overlap_become_one() -> None:
    text = "postgresql://shop:s3cret@db and password: 4111 1111 1111 1111"

    assert redact(text, DEFAULT) == "postgresql://shop:[key]@db and password: [card number]"


def test_the_end_of_an_enormous_text_does_not_go_on_unsearched() -> None:
    text = "a " * (LONGEST // 2) + "4111 1111 1111 1111"

    seen = redact(text, DEFAULT)

    assert "4111" not in seen
    assert seen.endswith("[19 more characters left out]")


def test_the_plugin_replaces_text_and_subject_and_nothing_else(message, ticket) -> None:
    plugins = Plugins()
    plugins.register("redaction", Redaction)
    faults: list = []

    seen = plugins.message_received(
        message("Password: hunter2", "4111111111111111"), ticket, faults
    )

    assert (seen.text, seen.subject, faults) == ("Password: [password]", "[card number]", [])
    assert seen.external_id == "1"


def test_what_was_said_before_is_replaced_too(plugin_desk) -> None:
    plugin_desk.add("redaction", Redaction)

    (turn,) = plugin_desk.recall("Password: hunter2")

    assert (turn.author, turn.text) == ("customer", "Password: [password]")


def test_the_plugin_goes_before_plugins_of_earlier_names(message, ticket) -> None:
    class Reader:
        read = ""

        @hookimpl
        def message_received(self, message: Message) -> None:
            self.read = message.text

    reader, plugins = Reader(), Plugins()
    plugins.register("a-reader", reader)
    plugins.register("redaction", Redaction)

    plugins.message_received(message("Password: hunter2"), ticket, [])

    assert reader.read == "Password: [password]"


def test_a_wrong_kind_is_named() -> None:
    plugins = Plugins({"redaction": {"kinds": ["card", "ibn"]}})

    with pytest.raises(SettingsError, match=r"plugins\.redaction\.kinds\.1 = 'ibn': .*'iban'"):
        plugins.register("redaction", Redaction)
