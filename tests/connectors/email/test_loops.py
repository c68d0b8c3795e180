"""What is answered, what waits for a person, and what is never answered."""

from __future__ import annotations

import pytest

from connectors.email import loops, mime, trust
from connectors.email.loops import Rule
from connectors.email.tokens import Tokens
from tests.email_desk import KEY, mail

OWN = {"support@example.com", "help@example.com"}
TOKENS = Tokens([KEY])


def rule(verdict: trust.Verdict = "unknown", **headers: str) -> Rule:
    return loops.rule(mime.parse(mail(**headers).as_bytes()), OWN, TOKENS, verdict)


def test_a_customers_mail_is_answered() -> None:
    assert rule() == Rule("answer")


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Auto_Submitted": "auto-generated; owner-email=x@example.com"},
        {"Auto_Submitted": "auto-notified"},
        {"Precedence": "bulk"},
        {"Precedence": "list"},
        {"Precedence": "junk"},
        {"Precedence": "auto_reply"},
        {"List_Id": "<news.other.example>"},
        {"List_Unsubscribe": "<mailto:leave@other.example>"},
        {"List_Post": "<mailto:all@other.example>"},
        {"X_Autoreply": "yes"},
        {"X_Autorespond": "away"},
        {"Return_Path": "<>"},
        {"sender": "MAILER-DAEMON@other.example"},
        {"sender": "Mail Delivery System <postmaster@other.example>"},
        {"sender": "no-reply@other.example"},
        {"sender": "do_not_reply@other.example"},
        {"sender": "noreply+2049@other.example"},
        {"sender": "support@example.com"},
        {"sender": "Help <HELP@example.com>"},
        {"sender": "support+tag@example.com"},
        {"Reply_To": "help@example.com"},
        {"X_Loop": "support@example.com"},
        {"Message_ID": TOKENS.message_id("reply", 7, "any-reply", "example.com")},
        {"Message_ID": TOKENS.message_id("staff", 7, "any-notice", "example.com")},
        {"X_Failed_Recipients": "nobody@other.example"},
        {"sender": "postmaster@other.example", "subject": "Undeliverable: Re: Invoices"},
        {"sender": "not an address"},
    ],
)
def test_machines_lists_and_ourselves_are_never_answered(headers: dict[str, str]) -> None:
    found = rule(**headers)

    assert found.what == "file"
    assert found.reason


@pytest.mark.parametrize(
    "subject",
    [
        "Automatic reply: Re: Invoices",
        "Auto-Reply: Invoices",
        "Out of Office: Re: Invoices",
        "I am out of the office until Monday",
        "Automatische Antwort: Rechnung",
        "Abwesenheitsnotiz: Rechnung",
        "Réponse automatique : Facture",
        "Absence du bureau",
        "Respuesta automática: Factura",
        "Fuera de la oficina",
        "Risposta automatica: Fattura",
        "Fuori ufficio",
        "Resposta automática: Fatura",
        "Automatisch antwoord: Factuur",
        "Afwezigheid",
        "Autosvar: Faktura",
        "Frånvaro",
        "Automaattinen vastaus: Lasku",
        "Automatyczna odpowiedź: Faktura",
        "Automatická odpověď: Faktura",
        "Otomatik yanıt: Fatura",
        "Автоответ: Счёт",
        "Автоматический ответ: Счёт",
        "自动回复：发票",
        "自動返信: 請求書",
        "자동 회신: 송장",
        "Re: AW: Out of office",
    ],
)
def test_out_of_office_is_known_in_several_languages(subject: str) -> None:
    assert rule(subject=subject) == Rule("file", "it was sent automatically")


@pytest.mark.parametrize(
    "subject",
    [
        "How do I set an automatic reply?",
        "Invoice for the office",
        "Why was my mail returned?",
        "Poster of the out of stock item",
        "",
    ],
)
def test_questions_about_such_things_are_answered(subject: str) -> None:
    assert rule(subject=subject) == Rule("answer")


@pytest.mark.parametrize("value", ["no", "No", "no (a person wrote it)"])
def test_auto_submitted_no_is_a_person(value: str) -> None:
    assert rule(Auto_Submitted=value.partition(" ")[0]) == Rule("answer")


@pytest.mark.parametrize(
    ("headers", "verdict", "reason"),
    [
        ({"X_Auto_Response_Suppress": "OOF, AutoReply"}, "unknown", "no automatic answers"),
        ({"to": "boss@other.example", "Cc": "support@example.com"}, "unknown", "in copy"),
        ({"to": "undisclosed-recipients:;"}, "unknown", "neither in To nor in Cc"),
        ({}, "forged", "forged"),
        ({"Reply_To": "victim@third.example"}, "unknown", "another address"),
        ({"sender": "noreply@other.example", "Reply_To": "eva@third.example"}, "authentic", "form"),
    ],
)
def test_what_is_in_doubt_waits_for_a_person(
    headers: dict[str, str], verdict: trust.Verdict, reason: str
) -> None:
    found = rule(verdict, **headers)

    assert found.what == "hold"
    assert reason in found.reason


def test_a_known_senders_other_address_is_answered() -> None:
    assert rule("authentic", Reply_To="ana@home.example") == Rule("answer")


def test_a_tagged_address_is_ours() -> None:
    assert rule(to="support+orders@example.com") == Rule("answer")
