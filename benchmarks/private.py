"""Messages that hold something private, made up with a seed: names, e-mail addresses, cards and
IBANs with right check digits, telephone numbers and keys of five countries, between the numbers
that tickets are full of and that have to stay."""

from __future__ import annotations

import base64
import io
import json
import random
import string
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

COUNTRIES = ("US", "GB", "DE", "FR", "NL")
KINDS = ("card", "iban", "key", "email", "phone", "name")


@dataclass(frozen=True)
class Piece:
    """A part of a line; what is private has a kind. `goes_on` marks the further lines of a value
    that has several."""

    text: str
    kind: str = ""
    goes_on: bool = False


Lines = list[list[Piece]]


@dataclass(frozen=True)
class Drawn:
    """A screenshot, and where each private value's characters stand on it: (left, top, right,
    bottom) of each but spaces."""

    content: bytes
    values: tuple[tuple[str, tuple[tuple[float, float, float, float], ...]], ...]


def messages(count: int, seed: int) -> Iterator[Lines]:
    """Messages of a few lines, each with three private values and as many that are not."""
    rng = random.Random(seed)
    for number in range(count):
        country = COUNTRIES[number % len(COUNTRIES)]
        first = KINDS[number % 3]  # cards, IBANs and keys are what matters most
        kinds = [first, *rng.sample([k for k in KINDS if k != first], 2)]
        lines = [_line(kind, country, rng) for kind in kinds]
        lines += [[Piece(_harmless(rng))] for _ in range(3)]
        rng.shuffle(lines)
        yield [line for block in lines for line in _split(block)]


def _split(block: list[Piece]) -> Lines:
    """A value of several lines, such as a private key, takes lines of its own."""
    lines: Lines = [[]]
    for piece in block:
        for number, text in enumerate(piece.text.split("\n")):
            if number:
                lines.append([])
            lines[-1].append(Piece(text, piece.kind, number > 0))
    return lines


def _line(kind: str, country: str, rng: random.Random) -> list[Piece]:
    before, after = rng.choice(
        SENTENCES[kind][country] if country in SENTENCES[kind] else SENTENCES[kind]["all"]
    )
    return [Piece(before), Piece(VALUES[kind](country, rng), kind), Piece(after)]


SENTENCES: dict[str, dict[str, list[tuple[str, str]]]] = {
    "card": {
        "US": [("I paid with ", " last night"), ("Card number: ", ""), ("charge to ", " declined")],
        "GB": [("my card ", " was billed twice"), ("Visa ", "  exp 09/28"), ("", " is refused")],
        "DE": [("Meine Karte ", " wird abgelehnt"), ("Kartennummer: ", "")],
        "FR": [("Ma carte ", " est refusée"), ("Numéro de carte : ", "")],
        "NL": [("Mijn kaart ", " werkt niet"), ("Kaartnummer: ", "")],
    },
    "iban": {
        "US": [("wire it to ", " please"), ("Beneficiary account ", "")],
        "GB": [("refund to ", " please"), ("IBAN: ", "")],
        "DE": [("Bitte auf ", " überweisen"), ("IBAN ", "")],
        "FR": [("Remboursez sur ", " merci"), ("IBAN : ", "")],
        "NL": [("Terugstorten op ", " graag"), ("Rekening ", "")],
    },
    "key": {
        "all": [
            ("the key is ", ""),
            ("", ""),
            ("export TOKEN=", ""),
            ("we use ", " in CI"),
            ("config: { key: '", "' }"),
        ]
    },
    "email": {
        "all": [("write to ", " please"), ("user: ", ""), ("account ", " is locked"), ("<", ">")]
    },
    "phone": {
        "US": [("call me at ", " after 5"), ("Phone: ", ""), ("my number is ", "")],
        "GB": [("ring ", " any time"), ("Mobile: ", "")],
        "DE": [("Rückruf unter ", " bitte"), ("Tel. ", "")],
        "FR": [("appelez le ", " ce soir"), ("Tél : ", "")],
        "NL": [("bel ", " vanavond"), ("Telefoon: ", "")],
    },
    "name": {
        "US": [("My name is ", " and I am waiting"), ("I spoke to ", " yesterday"), ("Name: ", "")],
        "GB": [("", " signed for it"), ("Dear Mr ", ","), ("Account holder: ", "")],
        "DE": [("Ich heiße ", " und warte"), ("laut ", " ist es bezahlt"), ("Frau ", " rief an")],
        "FR": [("Je m'appelle ", " et j'attends"), ("", " a signé"), ("Madame ", ",")],
        "NL": [("Mijn naam is ", ""), ("volgens ", " klopt het"), ("Naam: ", "")],
    },
}


# --- Values ---


def _luhn(body: str) -> str:
    total = 0
    for place, digit in enumerate(reversed(body)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def _card(country: str, rng: random.Random) -> str:
    prefix, length = rng.choice([("4", 16), ("52", 16), ("2221", 16), ("37", 15), ("6011", 16)])
    body = prefix + "".join(rng.choices(string.digits, k=length - 1 - len(prefix)))
    number = body + _luhn(body)
    if length == 15:
        groups = [number[:4], number[4:10], number[10:]]
    else:
        groups = [number[i : i + 4] for i in range(0, 16, 4)]
    return rng.choice([" ", " ", "-", ""]).join(groups)


def _iban(country: str, rng: random.Random) -> str:
    digits = lambda n: "".join(rng.choices(string.digits, k=n))  # noqa: E731
    letters = lambda n: "".join(rng.choices(string.ascii_uppercase, k=n))  # noqa: E731
    home = country if country != "US" else rng.choice(COUNTRIES[1:])  # the US have none
    account = {
        "GB": lambda: letters(4) + digits(14),
        "DE": lambda: digits(18),
        "FR": _french_account(rng),
        "NL": lambda: letters(4) + digits(10),
    }[home]()
    as_number = "".join(str(int(c, 36)) for c in account + home + "00")
    number = f"{home}{98 - int(as_number) % 97:02d}{account}"
    return (
        number
        if rng.random() < 0.3
        else " ".join(number[i : i + 4] for i in range(0, len(number), 4))
    )


def _french_account(rng: random.Random) -> Callable[[], str]:
    def make() -> str:
        bank, branch = (f"{rng.randrange(100_000):05d}" for _ in range(2))
        account = f"{rng.randrange(10**11):011d}"
        key = 97 - (89 * int(bank) + 15 * int(branch) + 3 * int(account)) % 97
        return f"{bank}{branch}{account}{key:02d}"

    return make


def _key(country: str, rng: random.Random) -> str:
    def some(alphabet: str, length: int) -> str:
        return "".join(rng.choices(alphabet, k=length))

    word = string.ascii_letters + string.digits

    def jwt() -> str:
        def part(value: dict[str, Any]) -> str:
            return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

        claims = {"sub": some(word, 8), "exp": rng.randrange(10**9, 2 * 10**9)}
        return f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(claims)}.{some(word + '-_', 43)}"

    def private_key() -> str:
        body = "\n".join(some(word + "+/", 64) for _ in range(4))
        return f"-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----"

    makers: list[Callable[[], str]] = [
        lambda: "AKIA" + some(string.ascii_uppercase + "234567", 16),
        lambda: "ghp_" + some(word, 36),
        lambda: f"xoxb-{some(string.digits, 12)}-{some(string.digits, 12)}-{some(word, 24)}",
        lambda: "sk_live_" + some(word, 24),
        lambda: "AIza" + some(word + "-_", 35),
        lambda: "sk-proj-" + some(word, 40),
        lambda: "glpat-" + some(word, 20),
        jwt,
        private_key,
    ]
    return rng.choice(makers)()


FIRST = {
    "US": ["Jennifer", "Marcus", "Aaliyah", "Tyler"],
    "GB": ["Oliver", "Imogen", "Priya", "Rhys"],
    "DE": ["Jürgen", "Anneliese", "Mehmet", "Lena"],
    "FR": ["Hélène", "Baptiste", "Aïcha", "Luc"],
    "NL": ["Sanne", "Joris", "Fatima", "Pieter"],
}
LAST = {
    "US": ["Washington", "Kowalski", "Reyes", "Miller"],
    "GB": ["Ashworth", "O'Neill", "Patel", "Llewellyn"],
    "DE": ["Schäfer", "Großmann", "Yılmaz", "von Berg"],
    "FR": ["Lefèvre", "Dupont-Moret", "Benali", "Girard"],
    "NL": ["van den Berg", "Jansen", "de Vries", "Bakker"],
}


def _name(country: str, rng: random.Random) -> str:
    return f"{rng.choice(FIRST[country])} {rng.choice(LAST[country])}"


def _email(country: str, rng: random.Random) -> str:
    box = rng.choice(["info", "j.doe", "anna_k", "mr.smith+shop", "kontakt", "lea-99"])
    host = rng.choice(["example", "mail.example", "my-shop"])
    top = {"US": "com", "GB": "co.uk", "DE": "de", "FR": "fr", "NL": "nl"}[country]
    return f"{box}{rng.randrange(100)}@{host}.{top}"


def _phone(country: str, rng: random.Random) -> str:
    # Ranges that are given out, with made-up ends.
    n = lambda k: "".join(rng.choices(string.digits, k=k))  # noqa: E731
    line = f"{rng.randrange(200, 999)}"
    return rng.choice(
        {
            "US": [f"({rng.choice([212, 415, 617])}) {line}-{n(4)}", f"+1 415-{line}-{n(4)}"],
            "GB": [f"020 7{n(3)} {n(4)}", f"+44 7911 12{n(4)}", f"07911 12{n(4)}"],
            "DE": [f"030 {rng.randrange(20, 99)}{n(6)}", f"+49 151 2{n(7)}", f"0151 2{n(7)}"],
            "FR": [f"01 42 {n(2)} {n(2)} {n(2)}", f"+33 6 12 {n(2)} {n(2)} {n(2)}"],
            "NL": [f"020 62{n(1)} {n(4)}", f"+31 6 12{n(6)}", f"06 12{n(6)}"],
        }[country]
    )


VALUES: dict[str, Callable[[str, random.Random], str]] = {
    "card": _card,
    "iban": _iban,
    "key": _key,
    "email": _email,
    "phone": _phone,
    "name": _name,
}


def _harmless(rng: random.Random) -> str:
    digits = lambda k: "".join(rng.choices(string.digits, k=k))  # noqa: E731
    hexed = lambda k: "".join(rng.choices("0123456789abcdef", k=k))  # noqa: E731
    return rng.choice(
        [
            f"Order {rng.randrange(2020, 2027)}-{digits(6)} has not arrived",
            f"Tracking number {digits(12)} says delivered",
            f"Error 0x{hexed(8).upper()} in version {rng.randrange(9)}.{rng.randrange(30)}.1",
            f"Request {hexed(8)}-4a1b-41d4-a716-{hexed(12)} failed",
            f"Invoice INV-{digits(8)} of 2026-07-1{digits(1)}: 1.2{digits(2)},50",
            f"Server 10.0.{rng.randrange(256)}.7, port {rng.randrange(1024, 65535)}",
            "Settings > Billing > Payment methods",
            "Your session has expired. Sign in again.",
            f"commit {hexed(40)} breaks it",
            f"Serial C02X{digits(4)}JHGH5, firmware {rng.randrange(9)}.{digits(2)}",
        ]
    )


# --- Screenshots ---

THEMES = [
    ("#ffffff", "#1a1a1a"),
    ("#1e1e1e", "#d4d4d4"),
    ("#f3f4f6", "#374151"),
    ("#0b3d2e", "#e6fff5"),
    ("#fff8e1", "#5d4037"),
]


def typefaces() -> list[str]:
    """Font files that come with matplotlib; empty stands for Pillow's own."""
    import matplotlib

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    names = ["DejaVuSans", "DejaVuSans-Bold", "DejaVuSansMono", "DejaVuSerif", "STIXGeneral"]
    return ["", *(str(folder / f"{name}.ttf") for name in names)]


def drawn(lines: Sequence[Sequence[Piece]], number: int) -> Drawn:
    """A message as a screenshot; its `number` chooses typeface, size and colours."""
    faces = typefaces()
    face, size = faces[number % len(faces)], (13, 15, 18, 24)[number % 4]
    font: Any = ImageFont.truetype(face, size) if face else ImageFont.load_default(size)
    back, ink = THEMES[number % len(THEMES)]
    widest = max(font.getlength("".join(p.text for p in line)) for line in lines)
    picture = Image.new("RGB", (int(widest) + 80, int(len(lines) * size * 2.2) + 60), back)
    pen = ImageDraw.Draw(picture)
    values: list[tuple[str, tuple[tuple[float, float, float, float], ...]]] = []
    for row, line in enumerate(lines):
        top, text = 30 + row * size * 2.2, ""
        pen.text((40, top), "".join(piece.text for piece in line), ink, font)
        for piece in line:
            places = []
            for character in piece.text:
                left = 40 + font.getlength(text)
                text += character
                if piece.kind and not character.isspace():
                    # The middle half of the character's height: enough to know what it is.
                    places.append(
                        (left, top + 0.4 * size, 40 + font.getlength(text), top + 0.9 * size)
                    )
            if places and piece.goes_on:
                values[-1] = (piece.kind, values[-1][1] + tuple(places))
            elif places:
                values.append((piece.kind, tuple(places)))
    out = io.BytesIO()
    if number % 3 == 2:
        picture.save(out, "JPEG", quality=85)
    else:
        picture.save(out, "PNG")
    return Drawn(out.getvalue(), tuple(values))
