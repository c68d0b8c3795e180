"""Mails as they come to a support mailbox: from customers, of several mail programs, and from
machines."""

from __future__ import annotations

import io
import random
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

from PIL import Image, ImageDraw, ImageFont

SUPPORT = "support@example.com"


def picture(text: str) -> bytes:
    """A small window with a message."""
    image = Image.new("RGB", (420, 120), "#f4f4f6")
    font = ImageFont.load_default(18)
    ImageDraw.Draw(image).multiline_text((16, 16), text, "#222222", font)
    content = io.BytesIO()
    image.save(content, "PNG")
    return content.getvalue()


def question(name: str, text: str, dice: random.Random, screenshot: bool) -> bytes:
    """A customer's mail, as one of several mail programs writes it."""
    message = EmailMessage()
    message["From"], message["To"] = f"Customer <{name}@customers.example>", SUPPORT
    message["Subject"] = dice.choice(["Help", "Question", "Problem with my account", "?"])
    message["Date"], message["Message-ID"] = format_datetime(datetime.now(UTC)), make_msgid()
    signature = dice.choice(["", "\n\n-- \nCustomer\nExample Ltd", "\n\nKind regards,\nCustomer"])
    quoted = dice.choice(["", "\n\nOn Monday, Shop wrote:\n> Your order is on its way.\n"])
    message.set_content(text + signature + quoted)
    if screenshot or dice.random() < 0.5:
        shown = '<p><img src="cid:image001.png@1"></p>' if screenshot else ""
        message.add_alternative(f"<div>{text}</div>{shown}<p>{signature}</p>", subtype="html")
    if screenshot:
        html = message.get_payload()[1]
        html.add_related(
            picture(text[:40]), "image", "png", cid="<image001.png@1>", filename="image001.png"
        )
    return message.as_bytes()


def from_machine(number: int, dice: random.Random) -> bytes:
    """A mail that must not be answered."""
    head = f"From: Machine <machine{number}@machines.example>\nTo: {SUPPORT}\n"
    sign = dice.choice(
        [
            "Auto-Submitted: auto-replied",
            "Subject: Abwesenheitsnotiz",
            "List-Id: <news.example>",
            "Return-Path: <>",
            "Precedence: bulk",
            "Subject: Out of office: Re: Help",
        ]
    )
    return f"{head}{sign}\nMessage-ID: {make_msgid()}\n\nI am away.\n".encode()
