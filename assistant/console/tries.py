"""Questions tried in the playground, kept in memory for a while: nothing of them is stored."""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.articles import Audience
from assistant.console.drafts import Seen, seen
from assistant.messages import Attachment, Outcome, Step
from assistant.tickets.timeline import File

KEPT = 30


@dataclass(frozen=True)
class Try:
    """A question that `who` tried, and how it ended."""

    id: int
    who: str
    question: str
    audience: Audience
    files: Sequence[Attachment]
    outcome: Outcome

    @property
    def seen(self) -> list[Seen]:
        """The pictures that were read, with what was read on them; no recordings' scenes."""
        files = [
            File(self.id, position, file.media_type, file.filename, "")
            for position, file in enumerate(self.files)
        ]
        return [one for one in seen(self.outcome, files) if one.scene is None]

    @property
    def steps(self) -> dict[str, Step]:
        """The steps by name; those of plugins are left out."""
        return {step.name: step for step in self.outcome.trace if step.name != "plugins"}


class Tries:
    """The newest tries of everybody."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._kept: OrderedDict[int, Try] = OrderedDict()

    def keep(
        self,
        who: str,
        question: str,
        audience: Audience,
        files: Sequence[Attachment],
        outcome: Outcome,
    ) -> Try:
        """Keeps a try, and forgets the oldest."""
        with self._lock:
            one = Try(next(self._numbers), who, question, audience, files, outcome)
            self._kept[one.id] = one
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            return one

    def file(self, number: int, position: int, who: str) -> Attachment | None:
        """A file of somebody's own try, or None."""
        one = self._kept.get(number)
        if one is None or one.who != who or position >= len(one.files):
            return None
        return one.files[position]
