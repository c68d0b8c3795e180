"""Handing a mail in, by SMTP."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from assistant import UndeliverableError
from connectors.email.oauth import AccessTokens
from connectors.email.settings import Mailbox

TIMEOUT_SECONDS = 60


def deliver(box: Mailbox, tokens: AccessTokens | None, raw: bytes, to: Sequence[str]) -> None:
    """Hands the mail in for these addresses.

    Raises UndeliverableError if the server refuses it for good (5xx), and OSError, of which
    smtplib's errors are, if it may be well later: 4xx, no connection, a password that is refused.
    """
    with _closing(_connected(box)) as server:
        if tokens is None:
            server.login(box.login, box.password)
        else:
            _xoauth2(server, box.login, tokens)
        # Whether it was taken is known from here on only from the server's answer to the last dot.
        options = [] if all(each.isascii() for each in to) else ["SMTPUTF8"]
        try:
            refused = server.sendmail(box.address, list(to), raw, mail_options=options)
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            if all(code >= 500 for code in codes):
                raise UndeliverableError(_said(error.recipients[next(iter(to))])) from error
            raise
        except smtplib.SMTPResponseException as error:
            if error.smtp_code >= 500:
                raise UndeliverableError(_said((error.smtp_code, error.smtp_error))) from error
            raise
        if to[0] in refused:  # the customer; those in copy are a courtesy
            code, _ = refused[to[0]]
            if code >= 500:
                raise UndeliverableError(_said(refused[to[0]]))
            raise smtplib.SMTPRecipientsRefused(refused)


@contextmanager
def _closing(server: smtplib.SMTP) -> Iterator[smtplib.SMTP]:
    """Ends the connection; whatever goes wrong with that says nothing about the mail."""
    try:
        yield server
    finally:
        with suppress(OSError):
            server.quit()
        server.close()


def _connected(box: Mailbox) -> smtplib.SMTP:
    host, port = box.smtp_host, box.smtp_port
    if box.smtp_security == "none":
        return smtplib.SMTP(host, port, timeout=TIMEOUT_SECONDS)
    context = ssl.create_default_context(cafile=str(box.ca_file) if box.ca_file else None)
    if box.smtp_security == "tls":
        return smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_SECONDS, context=context)
    server = smtplib.SMTP(host, port, timeout=TIMEOUT_SECONDS)
    server.starttls(context=context)
    return server


def _xoauth2(server: smtplib.SMTP, user: str, tokens: AccessTokens) -> None:
    token = tokens.current()

    def answer(challenge: bytes | None = None) -> str:
        # A challenge says what was wrong, and wants an empty answer.
        return "" if challenge else f"user={user}\x01auth=Bearer {token}\x01\x01"

    server.ehlo()
    try:
        server.auth("XOAUTH2", answer, initial_response_ok=True)
    except smtplib.SMTPAuthenticationError:
        tokens.forget()
        raise


def _said(answer: tuple[int, bytes | str]) -> str:
    code, words = answer
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return f"the mail server refuses it: {code} {' '.join(text.split())[:300]}"
