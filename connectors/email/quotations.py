"""What the author of a mail wrote this time, told from what they answer or forward.

One pass over the lines, each looked at on its own or with the three after it, so that no mail takes
longer than its length. (The known libraries do this with expressions over the whole text, which a
mail of 8 kB can keep busy for seconds.)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

LONGEST_ATTRIBUTION = 300  # characters
ATTRIBUTION_LINES = 4
HEADER_LINES = 8  # of a quoted mail's header, as Outlook writes it
LONGEST_LINE = 1_000  # characters of a line that are looked at

_STARTS = re.compile(
    r"[\s>*\-]*(?:on|am|le|el|il|op|em|den|dne|dnia|w dniu|på|vid|a\(z\)|kl\.|în|v|в|\d{1,4}[-./]|"
    r"(?:mon|tue|wed|thu|fri|sat|sun|mo|di|mi|do|fr|sa|so|пн|вт|ср|чт|пт|сб|вс)\w*[,.]|"
    r"from:?|von:?|\S+@\S+|[^\W\d]+(?: [^\W\d]+){0,3} (?:<|\[mailto|schrieb|wrote))",
    re.IGNORECASE,
)
_WROTE = re.compile(
    r"(?:wrote|writes|schrieb|geschrieben|a écrit|écrit|escribió|ha escrito|ha scritto|scrisse|"
    r"schreef|escreveu|skrev|kirjoitti|napsal\(?a?\)?|napísal|napisał\(?a?\)?|pisze|írta|yazdı|"
    r"a scris|написала?|пишет|έγραψε|写道|のメッセージ|님이 작성)[^:：]{0,80}[:：]\s*$|"
    r"<(?:mailto:)?[^<>\s]+@[^<>\s]+>\s*[:：]\s*$",
    re.IGNORECASE,
)
_SEPARATOR = re.compile(
    r"[\s>*]*-{2,}\s*(?:original message|original-nachricht|ursprüngliche nachricht|"
    r"message d'origine|message original|mensaje original|messaggio originale|mensagem original|"
    r"oorspronkelijk bericht|ursprungligt meddelande|oprindelig meddelelse|"
    r"opprinnelig melding|wiadomość oryginalna|исходное сообщение|原始邮件|元のメッセージ|"
    r"reply message|on .{4,80} wrote:?)\s*-*\s*$",
    re.IGNORECASE,
)
_FORWARDED = re.compile(
    r"[\s>*]*(?:-{2,}\s*(?:forwarded message|weitergeleitete nachricht|message transféré|"
    r"mensaje reenviado|messaggio inoltrato|mensagem encaminhada|doorgestuurd bericht|"
    r"vidarebefordrat meddelande|пересылаемое сообщение|пересланное сообщение|转发邮件)\s*-*|"
    r"begin forwarded message:|anfang der weitergeleiteten nachricht:)\s*$",
    re.IGNORECASE,
)
_FROM = re.compile(
    r"[\s>*]*(?:from|von|de|da|van|od|från|fra|lähettäjä|от|发件人|差出人|보낸 사람)\s*[*]?[:：]",
    re.IGNORECASE,
)
_OTHER_HEADER = re.compile(
    r"[\s>*]*(?:sent|date|to|cc|subject|gesendet|datum|an|betreff|envoyé|à|objet|enviado|fecha|"
    r"para|asunto|inviato|data|a|oggetto|assunto|verzonden|aan|onderwerp|skickat|till|ämne|sendt|"
    r"til|emne|lähetetty|aihe|wysłano|do|temat|отправлено|дата|кому|тема|发送时间|收件人|主题|日時|"
    r"宛先|件名|보낸 날짜|받는 사람|제목)\s*[*]?[:：]",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Split:
    """A text in parts: `own` is the author's, `quoted` what is answered, `forwarded` what is
    passed on."""

    own: str
    quoted: str = ""
    forwarded: str = ""


def split(text: str) -> Split:
    """Takes a mail's text apart."""
    lines = text.splitlines()
    own: list[str] = []
    quoted: list[str] = []
    number = 0
    while number < len(lines):
        line = lines[number][:LONGEST_LINE]
        if _FORWARDED.match(line):
            return Split(_join(own), _join(quoted), _join(lines[number + 1 :]))
        if _SEPARATOR.match(line) or _begins_header(lines, number):
            return Split(_join(own), _join([*quoted, *lines[number:]]))
        if count := _attribution(lines, number):
            after = _next_filled(lines, number + count)
            if not lines[after : after + 1] or not _is_quote(lines[after]):
                return Split(_join(own), _join([*quoted, *lines[number:]]))
            quoted += lines[number : number + count]
            number += count
            continue
        (quoted if _is_quote(line) else own).append(lines[number])
        number += 1
    return Split(_join(own), _join(quoted))


def _attribution(lines: Sequence[str], number: int) -> int:
    """How many lines from this one on say who wrote what follows; 0 if it is no such line."""
    if not _STARTS.match(lines[number][:LONGEST_LINE]):
        return 0
    said = ""
    for count in range(1, ATTRIBUTION_LINES + 1):
        line = lines[number + count - 1] if number + count <= len(lines) else ""
        if not line.strip() or len(said) + len(line) > LONGEST_ATTRIBUTION:
            return 0
        said = f"{said} {line.strip()}"
        if _WROTE.search(said[-200:]):
            return count
    return 0


def _begins_header(lines: Sequence[str], number: int) -> bool:
    """Whether a quoted mail's header begins here: From, and at least two more of its lines."""
    if not _FROM.match(lines[number][:100]):
        return False
    following = lines[number + 1 : number + 1 + HEADER_LINES]
    return sum(bool(_OTHER_HEADER.match(line[:100])) for line in following) >= 2


def _next_filled(lines: Sequence[str], number: int) -> int:
    while number < len(lines) and not lines[number].strip():
        number += 1
    return number


def _is_quote(line: str) -> bool:
    return line.lstrip().startswith(">")


def _join(lines: Sequence[str]) -> str:
    """The lines as text, without rules and blank lines at its ends and more than one in a row."""
    kept: list[str] = []
    for line in (line.rstrip() for line in lines):
        if line or (kept and kept[-1]):
            kept.append(line)
    while kept and not kept[-1].strip(" _-*="):
        kept.pop()
    return "\n".join(kept).strip("\n")
