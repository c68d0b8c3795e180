"""A customer's right to see and to be forgotten: everywhere a desk keeps something.

    deskmate privacy export ann@example.com
    deskmate privacy erase ann@example.com

What is in other hands stays there: a help desk's own database, mailboxes, Slack, backups, and what
a chat model's or a webhook's other side received. `docs/security.md` lists it.
"""

from __future__ import annotations

import io
import json
import re
import zipfile

from assistant import logs
from assistant.desk import Desk
from assistant.errors import DeskmateError
from assistant.tickets.privacy import Erased

_ADDRESS = re.compile(r"\S.*\S")

log = logs.logger(__name__)


def export(desk: Desk, address: str, who: str) -> bytes:
    """All that is stored about a customer: a zip of `data.json` and the files, named by their
    sha256. The audit log notes that it was made, and not for whom."""
    data, files = desk.tickets.privacy.export(_checked(address))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.json", json.dumps(data, indent=2, ensure_ascii=False, default=str))
        for name, content in files.items():
            archive.writestr(f"files/{name}", content)
    desk.tickets.audit.note(who, "export customer", f"{len(data['tickets'])} tickets")
    return buffer.getvalue()


def erase(desk: Desk, address: str, who: str) -> Erased:
    """Erases all that is stored about a customer, for good. Done again, it changes nothing.

    The audit log notes that it was done, and not for whom. Raises DeskmateError for no address.
    """
    address = _checked(address)
    privacy = desk.tickets.privacy
    done = desk.erase_tickets(privacy.tickets(address), address)
    privacy.compact()
    desk.tickets.audit.note(who, "erase customer", f"{done.tickets} tickets, {done.files} files")
    log.info("erased_customer", tickets=done.tickets, files=done.files, articles=done.articles)
    return done


def _checked(address: str) -> str:
    address = address.strip()
    if not _ADDRESS.fullmatch(address) or len(address) < 3:
        raise DeskmateError(f"{address!r}: name the customer's whole address.")
    return address
