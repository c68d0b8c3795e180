"""What is never answered, and what is answered only by way of a person.

RFC 3834 (automatic responses to mail), RFC 5230 (vacation), and what help desks learnt since.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from connectors.email.address import without_tag
from connectors.email.headers import every, first
from connectors.email.kinds import from_machine
from connectors.email.mime import Mail
from connectors.email.tokens import Tokens
from connectors.email.trust import Verdict

LOOP_HEADER = "X-Loop"
_NOBODY = re.compile(
    r"(?:no|do[-_.]?not|never)[-_.]?reply(?:[-_.+].*)?|nobody|noanswer|noresponse", re.I
)
_KIND_REASONS = {
    "auto-reply": "it was sent automatically",
    "bounce": "it is a delivery report",
    "report": "it is a report",
    "calendar": "it is a calendar entry",
    "list": "it is from a mailing list, or was sent to many",
}


@dataclass(frozen=True)
class Rule:
    """What becomes of a mail. `answer`: it is answered. `hold`: an answer is written and waits for
    a person. `file`: it is kept and never answered. The reason is a clause."""

    what: Literal["answer", "hold", "file"]
    reason: str = ""


def rule(mail: Mail, own: Collection[str], tokens: Tokens, verdict: Verdict) -> Rule:
    """What becomes of a mail; `own` are the addresses of all mailboxes and their aliases."""
    if reason := _never(mail, own, tokens):
        return Rule("file", reason)
    if reason := _only_by_a_person(mail, own, verdict):
        return Rule("hold", reason)
    return Rule("answer")


def _never(mail: Mail, own: Collection[str], tokens: Tokens) -> str:
    if tokens.of_message_id(mail.message_id):
        return "it is one of our own mails, which came back"
    if mail.author is None:
        return "it says from nobody"
    senders = {without_tag(each.address) for each in (mail.author, *mail.reply_to)}
    if not senders.isdisjoint(own):
        return "it is from one of our own addresses"
    if any(value.lower() in own for value in every(mail.headers, LOOP_HEADER.lower())):
        return "it went through here before"
    if mail.kind != "normal":
        return _KIND_REASONS[mail.kind]
    if any(value in ("<>", "< >") for value in every(mail.headers, "return-path")):
        return "it has no return path"
    if from_machine(mail.author.local_part):
        return "it is from a mail server"
    if _NOBODY.fullmatch(mail.author.local_part) and not mail.reply_to:
        return "its sender reads no answers"
    return ""


def _only_by_a_person(mail: Mail, own: Collection[str], verdict: Verdict) -> str:
    if verdict == "forged":
        return "our mail server says that its sender is forged"
    if mail.fault:
        return f"the mail was not read completely: {mail.fault}"
    if first(mail.headers, "x-auto-response-suppress").lower() not in ("", "none"):
        return "its sender asks for no automatic answers"
    assert mail.author is not None  # else it was filed
    if _NOBODY.fullmatch(mail.author.local_part):
        return "it comes from a form or a machine, for somebody else"
    elsewhere = {each.address for each in mail.reply_to} - {mail.author.address}
    if elsewhere and verdict != "authentic":
        return "the answer is wanted at another address, and nobody knows that the sender is real"
    if not any(without_tag(each.address) in own for each in mail.to):
        if any(without_tag(each.address) in own for each in mail.cc):
            return "it is addressed to somebody else, and we are in copy"
        return "we are neither in To nor in Cc (Bcc, or an alias that is not in the settings)"
    return ""
