"""What an author wrote this time."""

from __future__ import annotations

import pytest

from connectors.email import quotations, signatures

ATTRIBUTIONS = [
    "On Tue, Nov 24, 2026 at 10:00 AM Ana Lima <ana@other.example> wrote:",
    "On Tue, Nov 24, 2026 at 10:00 AM\nAna Lima <ana@other.example>\nwrote:",
    "Am 24.11.2026 um 10:00 schrieb Ana Lima <ana@other.example>:",
    "Le mar. 24 nov. 2026 à 10:00, Ana Lima a écrit :",
    "El mar, 24 nov 2026 a las 10:00, Ana Lima escribió:",
    "Il giorno mar 24 nov 2026 alle ore 10:00 Ana Lima ha scritto:",
    "Op di 24 nov. 2026 om 10:00 schreef Ana Lima:",
    "Em ter., 24 de nov. de 2026 às 10:00, Ana Lima escreveu:",
    '24.11.2026, 10:00, "Ana Lima" <ana@other.example>:',
    "вт, 24 нояб. 2026 г. в 10:00, Ana Lima <ana@other.example>:",
]
HEADERS = [
    "-----Original Message-----\nFrom: Ana\nSent: Tuesday\nTo: Support\nSubject: Help",
    "________________________________\nVon: Ana\nGesendet: Dienstag\nAn: Support\nBetreff: Hilfe",
    "From: Ana\nSent: Tuesday\nTo: Support\nSubject: Help",
    "De : Ana\nEnvoyé : mardi\nÀ : Support\nObjet : Aide",
    "发件人: Ana\n发送时间: 2026\n收件人: Support\n主题: 帮助",
]


@pytest.mark.parametrize("attribution", ATTRIBUTIONS)
def test_who_wrote_what_is_quoted(attribution: str) -> None:
    found = quotations.split(f"It still fails.\n\n{attribution}\n> Try again.\n> And again.\n")

    assert found.own == "It still fails."
    assert "Try again." in found.quoted


@pytest.mark.parametrize("header", HEADERS)
def test_a_header_begins_what_is_quoted_to_the_end(header: str) -> None:
    found = quotations.split(f"It still fails.\n\n{header}\n\nTry again.\n")

    assert found.own == "It still fails."
    assert "Try again." in found.quoted


def test_answers_between_quoted_lines_are_all_kept() -> None:
    text = "On Monday, Ana wrote:\n> Which version?\n\nIt is 4.2.\n\n> Which browser?\n\nFirefox."

    assert quotations.split(text).own == "It is 4.2.\n\nFirefox."


@pytest.mark.parametrize(
    "text",
    [
        "From: 3 pm on, it fails.\nIt says: no.",
        "The steps:\n- open\n- click\n- wait",
        "I get --- and then nothing",
    ],
)
def test_words_that_only_look_so_are_kept(text: str) -> None:
    assert quotations.split(text).own == text


@pytest.mark.parametrize(
    "signature",
    [
        "-- \nAna Lima\nExample Ltd\n+44 20 7946 0000",
        "--\nAna",
        "Kind regards,\nAna Lima\nHead of Sales",
        "Mit freundlichen Grüßen\nAna Lima",
        "Cordialement,\nAna",
        "Sent from my iPhone",
        "Von meinem iPhone gesendet",
        "Get Outlook for iOS<https://aka.ms/o0ukef>",
        "Ana Lima\nana@other.example\nwww.other.example",
        "This e-mail and any attachments are confidential and intended for the addressee only.",
    ],
)
def test_signatures_go(signature: str) -> None:
    text = f"How do I void an invoice?\n\n{signature}"

    assert signatures.strip(text, "Ana Lima <ana@other.example>") == "How do I void an invoice?"


@pytest.mark.parametrize(
    "text",
    [
        "Thanks",
        "Best regards",
        "It fails.\n\n--\nWhat should I do next?\nIs there a log?",
        "Thank you,\nbut it still does not work: what now?",
        "- first\n- second",
        "Ana",
    ],
)
def test_questions_stay(text: str) -> None:
    assert signatures.strip(text, "Ana Lima") == text
