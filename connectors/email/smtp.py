"""Handing a mail in, by SMTP."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from assistant import UndeliverableError, UnreachableError
from connectors.email import oauth
from connectors.email.oauth import AccessTokens
from connectors.email.settings import Mailbox

TIMEOUT_SECONDS = 60


def deliver(box: Mailbox, tokens: AccessTokens | None, raw: bytes, to: Sequence[str]) -> None:
    """Hands the mail in for these addresses.

    Raises UndeliverableError if the server refuses it for good (5xx), UnreachableError if it does
    not let us in, and OSError, of which smtplib's errors are, if it may be well later: 4xx, or no
    connection.
    """
    with _closing(_connected(box)) as server:
        _sign_in(server, box, tokens)
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


def _sign_in(server: smtplib.SMTP, box: Mailbox, tokens: AccessTokens | None) -> None:
    def with_token(token: str) -> None:
        def answer(challenge: bytes | None = None) -> str:
            return oauth.xoauth2(box.login, token, challenge)

        server.auth("XOAUTH2", answer, initial_response_ok=True)

    try:
        if tokens is None:
            server.login(box.login, box.password)
        else:
            server.ehlo()
            tokens.sign_in(with_token, smtplib.SMTPAuthenticationError)
    except smtplib.SMTPAuthenticationError as error:
        place = f"{box.smtp_host}:{box.smtp_port}"
        said = oauth.refused(box, _words(error.smtp_code, error.smtp_error))
        raise UnreachableError(f"{place}: {said}") from error


def _said(answer: tuple[int, bytes | str]) -> str:
    return f"the mail server refuses it: {_words(*answer)}"


def _words(code: int, text: bytes | str) -> str:
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return f"{code} {' '.join(words.split())[:300]}"
