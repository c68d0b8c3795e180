"""Signatures, device lines and legal notes at the end of a mail."""

from __future__ import annotations

import re

LONGEST = 10  # lines of a signature that begins with a greeting
SHORT = 60  # characters of a line in such a signature

_DELIMITER = re.compile(r"(?:-- ?|—|–|__|_{5,}|-{5,}|\*{5,})\s*$")
_DEVICE = re.compile(
    r"(?:sent (?:from|with|via|using)|get outlook for|von meinem|gesendet (?:mit|von)|"
    r"diese nachricht"
    r" wurde von meinem|envoyé (?:de|depuis)|enviado (?:desde|do|de)|inviato da|"
    r"verzonden (?:vanaf|met)|"
    r"skickat från|sendt fra|lähetetty|отправлено (?:с|из)|发自我的)\b.{0,100}$",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"(?:(?:many |best |kind |warm |with (?:best |kind |warm )?)*(?:regards|thanks|wishes)|"
    r"thank you(?: (?:so|very) much| in advance)?|thx|cheers|sincerely(?: yours)?|"
    r"yours (?:sincerely|"
    r"truly|faithfully)|best|all the best|mit (?:freundlichen|besten|herzlichen|lieben) grüßen|"
    r"(?:viele|beste|liebe|freundliche|herzliche|schöne) grüße|mfg|lg|vg|danke(?: und gruß)?|gruß|"
    r"(?:bien )?cordialement|bien à vous|merci(?: d'avance)?|salutations|(?:un )?saludos?"
    r"(?: cordial(?:es)?)?|atentamente|gracias|(?:cordiali|distinti) saluti|grazie(?: mille)?|"
    r"met vriendelijke groet(?:en)?|groet(?:en|jes)?|atenciosamente|obrigad[oa]|cumprimentos|"
    r"(?:med )?vänliga hälsningar|(?:med )?venlig hilsen|(?:med )?vennlig hilsen|"
    r"(?:с )?уважением|спасибо|pozdrawiam|s pozdravem)\s*[,.!]*\s*$",
    re.IGNORECASE,
)
_LEGAL = re.compile(
    r"[*\s]*(?:this (?:e-?mail|message|communication)(?: and any \w+)?|"
    r"the information (?:contained |"
    r"transmitted )?in this|disclaimer|confidentiality notice|caution:|diese (?:e-?mail|nachricht)|"
    r"der inhalt dieser|ce (?:message|courriel)|este (?:mensaje|correo)|questo messaggio)\b"
    r".{0,200}(?:confidential|privileged|intended|vertraulich|confidentiel|confidencial|riservat|"
    r"disclaim|unauthori|bestimmt|external)",
    re.IGNORECASE,
)
_CONTACT = re.compile(
    r"\S+@\S+\.\S+|https?://|www\.|\+?\d[\d ()./-]{6,}\d|\b(?:tel|phone|fon|fax|mobile?)\b", re.I
)
_WORD = re.compile(r"[^\W\d_]+")


def strip(text: str, author: str = "") -> str:
    """The text without what its author, whose name or address this is, puts under all mails. What
    would be nothing then stays as it is: a question is worth more than tidiness."""
    lines = text.splitlines()
    cut = next((n for n, line in enumerate(lines) if _DELIMITER.fullmatch(line.strip())), None)
    if cut is not None and _signs(lines[cut + 1 :]):
        lines = lines[:cut]
    while lines and (not lines[-1].strip() or _DEVICE.match(lines[-1].strip())):
        lines.pop()
    lines = _without_legal_note(lines)
    lines = _without_closing(lines, [w for w in _WORD.findall(author.lower()) if len(w) > 2])
    kept = "\n".join(lines).strip()
    return kept or text.strip()


def _signs(lines: list[str]) -> bool:
    """Whether the lines below a rule are a signature and no second part of the text: a few, short,
    or with a way to reach somebody, and no question."""
    filled = [line for line in lines if line.strip()]
    contacts = any(_CONTACT.search(line[:300]) for line in filled)
    return (len(filled) <= LONGEST or contacts) and not any("?" in line for line in filled[:2])


def _without_legal_note(lines: list[str]) -> list[str]:
    for number in range(len(lines) - 1, max(-1, len(lines) - 40), -1):
        if _LEGAL.match(" ".join(lines[number : number + 3])[:400]):
            return lines[:number]
    return lines


def _without_closing(lines: list[str], names: list[str]) -> list[str]:
    """Cuts from a greeting such as “Kind regards,”, or a line that begins with the author's name,
    on, if only short lines follow, and none of them asks anything."""
    cut, filled = len(lines), 0
    for number in range(len(lines) - 1, 0, -1):
        line = lines[number].strip()
        if _CLOSING.fullmatch(line[: SHORT + 1]):
            return lines[:number]
        filled += bool(line)
        if filled > LONGEST or len(line) > SHORT or "?" in line:
            break
        first = _WORD.match(line.lower())
        if first and first.group() in names:
            cut = number
    return lines[:cut]
