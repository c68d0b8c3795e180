"""Which files go to a customer: what a mail server would take, and nothing that runs."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import PurePath

from assistant import Attachment

MOST_BYTES = 15_000_000  # together; encoded they are a third more, and servers stop at 20 to 25 MB
MOST_NAMES = 1_000  # of an archive that are looked at
# What mail providers refuse, and Windows or a shell runs.
_RUNS = re.compile(
    r".*\.(?:ade|adp|apk|appx|bat|cab|chm|cmd|com|cpl|dll|dmg|exe|hta|img|ins|iso|isp|jar|js|jse|"
    r"lib|lnk|mde|msc|msi|msix|msp|mst|nsh|pif|ps1|reg|scr|sct|sh|shb|sys|vb|vbe|vbs|vhd|vxd|wsc|"
    r"wsf|wsh)[ .]*",
    re.IGNORECASE | re.DOTALL,
)
_PROGRAMS = (b"MZ", b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")


def refusal(files: Sequence[Attachment]) -> str:
    """Why these files are not passed on, naming the first that is in the way; empty if they are."""
    for file in files:
        if file.missing:
            return f"{file.filename}: {file.missing}"
        if file.content.startswith(_PROGRAMS) or _RUNS.fullmatch(file.filename):
            return f"{file.filename}: programs are not passed on"
        for name in _names(file.content):
            if _RUNS.fullmatch(name):
                return f"{file.filename}: it holds the program {PurePath(name).name}"
    size = sum(len(file.content) for file in files)
    if size > MOST_BYTES:
        return f"the files have {size / 1e6:.0f} MB, and mail servers take {MOST_BYTES / 1e6:.0f}"
    return ""


def _names(content: bytes) -> Iterator[str]:
    """The names in an archive; none of what is no archive, or a broken one."""
    if content[:2] == b"PK":
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                yield from archive.namelist()[:MOST_NAMES]
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
            return
