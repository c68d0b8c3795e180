"""How fast a mail is taken apart, and how well its author's own words are told from the rest.

`parsing`: the real and malformed mails of `mail/flanker` and `mail/talon`, each taken apart
completely: words, files, addresses. `deskmate` includes the way to the guarded child process and
back. `failed` are mails at which a system raised an error.

`replies`: of the answers that twelve mail programs wrote (`mail/talon/standard_replies`), the plain
text, and of ten their HTML as text. Right is what holds the author's words and nothing that was
quoted; a signature may stay. Deskmate's rules were written with these replies at hand.

`long attribution`: one mail of 8 kB that begins like “On … wrote:” and never ends so.
"""

from __future__ import annotations

import email
import time
from collections.abc import Callable
from email import policy
from pathlib import Path

import mailparser
import numpy as np
import quotequail
from email_reply_parser import EmailReplyParser
from inscriptis import get_text
from mailparser_reply import EmailReplyParser as MailParserReply

from benchmarks import data
from benchmarks.results import Results
from connectors.email import html, mime, quotations
from connectors.email.guard import Guard

ROUNDS = 5
OWN_WORDS = {"Hello", "Hi. I am fine.", "Reply", "Hi"}


def standard_library(raw: bytes) -> None:
    """What a careful user of the standard library reads of a mail."""
    message = email.message_from_bytes(raw, policy=policy.default)
    _ = [message[name] for name in ("From", "To", "Cc", "Subject", "Date", "References")]
    for part in message.walk():
        if not part.is_multipart():
            part.get_content()


def mail_parser(raw: bytes) -> None:
    """The same with mail-parser."""
    parsed = mailparser.parse_from_bytes(raw)
    _ = (parsed.from_, parsed.to, parsed.subject, parsed.date, parsed.body, parsed.attachments)


def unquoted(text: str) -> str:
    """What quotequail thinks was not quoted."""
    return "\n".join(part for shown, part in quotequail.quote(text) if shown)


def parsing(mails: list[bytes], systems: dict[str, Callable[[bytes], object]], r: Results) -> None:
    for name, parse in systems.items():
        milliseconds, failed = [], 0
        for raw in mails:
            for _ in range(ROUNDS):
                began = time.perf_counter()
                try:
                    parse(raw)
                except Exception:
                    failed += 1
                milliseconds.append(1_000 * (time.perf_counter() - began))
        for metric, value in (
            ("ms p50", np.percentile(milliseconds, 50)),
            ("ms p99", np.percentile(milliseconds, 99)),
            ("failed", failed / ROUNDS),
        ):
            r.add("parsing", name, metric, float(value), n=len(mails))


def right(own: str) -> bool:
    """Whether the author's words are there, and nothing that was quoted."""
    lines = [line.strip() for line in own.strip().splitlines() if line.strip()]
    if not lines or lines[0] not in OWN_WORDS:
        return False
    rest = "\n".join(lines[1:])
    return not any(
        sign in rest for sign in (">", "wrote", "From:", "To:", "написал", "Test", "от ")
    )


def replies(folder: Path, r: Results) -> None:
    plain = []
    for file in sorted(folder.glob("standard_replies/*.eml")):
        message = email.message_from_bytes(file.read_bytes(), policy=policy.default)
        body = message.get_body(("plain",))
        assert body is not None
        plain.append(body.get_content())
    pages = sorted([*folder.glob("html_replies/*.html"), *folder.glob("*.html")])
    texts = [page.read_text("utf-8", "replace") for page in pages]
    systems: dict[str, Callable[[str], str]] = {
        "mail-parser-reply": lambda t: MailParserReply(["en", "de", "fr"]).parse_reply(t) or "",
        "email-reply-parser": EmailReplyParser.parse_reply,
        "quotequail": unquoted,
    }

    def from_html(page: str) -> str:
        return quotations.split(html.read(page).text).own

    ours = [lambda text: quotations.split(text).own, from_html]
    rows = [("deskmate", ours)]
    rows += [(n, [f, lambda page, f=f: f(get_text(page))]) for n, f in systems.items()]
    attribution = "On " + "a b " * 2_000
    for name, (of_text, of_html) in rows:
        for task, read, cases in (("text", of_text, plain), ("HTML", of_html, texts)):
            share = sum(right(read(case)) for case in cases) / len(cases)
            r.add(f"replies/{task}", name, "right", share, n=len(cases))
        began = time.perf_counter()
        of_text(attribution)
        r.add("long attribution", name, "ms", 1_000 * (time.perf_counter() - began))


def main() -> None:
    results = Results(
        "mime", ["mail-parser", "mail-parser-reply", "email-reply-parser", "quotequail"]
    )
    folder = data.folder("mail")
    mails = [file.read_bytes() for file in sorted(folder.rglob("*.eml"))]
    guard = Guard()
    guard.parse(b"\n\nthe child is started")
    systems: dict[str, Callable[[bytes], object]] = {
        "deskmate": guard.parse,
        "deskmate/no child": mime.parse,
        "standard library": standard_library,
        "mail-parser": mail_parser,
    }
    parsing(mails, systems, results)
    guard.close()
    replies(folder / "talon", results)
    results.publish()


if __name__ == "__main__":
    main()
