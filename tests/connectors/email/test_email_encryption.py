"""TLS on both ways, with certificates that are checked."""

from __future__ import annotations

import ssl
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant import UnreachableError
from assistant.testing.mail import HOW_TO_INSTALL, MailServer, installed
from connectors.email import smtp
from connectors.email.imap import Imap
from connectors.email.settings import Mailbox
from tests.email_desk import SUPPORT, EmailDesk, mail, mailbox


@pytest.fixture(scope="module")
def server() -> Iterator[MailServer]:
    if not installed():
        pytest.skip(HOW_TO_INSTALL)
    with tempfile.TemporaryDirectory(prefix="deskmate-") as name:
        folder = Path(name)
        files = folder / "certificate.pem", folder / "key.pem"
        command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
        alternative = ["-addext", "subjectAltName=IP:127.0.0.1"]
        output = ["-out", files[0], "-keyout", files[1]]
        subprocess.run([*command.split(), *alternative, *output], check=True, capture_output=True)
        with MailServer(folder, files) as server:
            yield server


def encrypted(server: MailServer, **more: object) -> dict[str, object]:
    assert server.certificate is not None
    return {
        "imap_security": "tls",
        "imap_port": server.imap_tls_port,
        "smtp_security": "starttls",
        "ca_file": server.certificate[0],
        **more,
    }


def test_mails_are_fetched_and_handed_in_by_tls(server: MailServer, tmp_path: Path) -> None:
    with EmailDesk(server, tmp_path / "data", box=encrypted(server)) as desk:
        server.deliver(SUPPORT, mail().as_bytes())

        assert desk.replies("ana@other.example")


def test_imap_may_begin_in_the_clear(server: MailServer) -> None:
    more = encrypted(server, imap_security="starttls", imap_port=server.imap_port)

    with Imap(Mailbox(**mailbox(server, **more))) as imap:
        assert imap.open("INBOX")


def test_a_server_that_nobody_vouches_for_gets_no_password(server: MailServer) -> None:
    box = Mailbox(**mailbox(server, **encrypted(server, ca_file=None)))

    with pytest.raises(UnreachableError, match=r"127.0.0.1:\d+: .*CERTIFICATE_VERIFY_FAILED"):
        Imap(box)
    with pytest.raises(ssl.SSLCertVerificationError):
        smtp.deliver(box, None, b"Subject: x\r\n\r\nx", ["ana@other.example"])
