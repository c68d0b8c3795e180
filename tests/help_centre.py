"""The help centre of Kite, a service that keeps folders in step; it exists for tests only."""

from __future__ import annotations

from pathlib import Path

from tests.pictures import png

ARTICLES = {
    "invoices.md": """\
# Download an invoice

Invoices are made on the first day of each month. Only the owner of an account sees them.

To download an invoice:

1. Open **Settings > Billing**.
2. Choose the month.
3. Press **Download PDF**.

The invoice is also sent to the billing address by e-mail.
""",
    "sync-errors.md": """\
# Sync error KT-4031

The error KT-4031 means that the disk quota of your account is used up.
Kite stops uploading files until there is room again.
Empty the trash, or ask the owner of the account for a larger quota.

![The window of the error](kt-4031.png)
""",
    "password.md": """\
# Reset your password

Press **Forgot password** on the sign-in page and type your e-mail address.
The link in the e-mail is valid for 30 minutes.
Kite never asks for your password on the telephone.
""",
    "plans.md": """\
# Plans and prices

The Team plan costs 12 euros per user and month. It allows at most 15 devices for each user.

The Free plan costs nothing and allows 2 devices. It does not include version history.
""",
    "refunds.md": """\
---
audience: internal
---
# Refund a customer

Staff may refund up to 200 euros without asking the manager.
Write the reason of the refund into the ticket.
""",
}


def write_help_centre(folder: Path) -> Path:
    """Writes the articles and their picture into `folder`."""
    for name, text in ARTICLES.items():
        (folder / name).write_text(text)
    (folder / "kt-4031.png").write_bytes(png("Upload stopped\nKT-4031\nQuota exceeded"))
    return folder
