from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from assistant.desk import Desk
from assistant.errors import KnowledgeError
from assistant.knowledge.catalogue import Changes, Wanted
from assistant.knowledge.sources import Folder
from assistant.model.encoder import MultimodalEncoder
from assistant.settings import Settings


def test_articles_are_listed_by_source_audience_and_words(desk: Desk) -> None:
    catalogue = desk.catalogue

    assert len(catalogue.articles(Wanted())[0]) == 5
    assert [one.id for one in catalogue.articles(Wanted(audience="internal"))[0]] == [
        "help/refunds.md"
    ]
    (found,) = catalogue.articles(Wanted(words="KT-4031"))[0]
    assert (found.title, found.passages) == ("Sync error KT-4031", 1)
    assert catalogue.articles(Wanted(source="nothing")) == ([], "")
    assert catalogue.article("help/none.md") is None


def test_a_source_is_read_again_as_it_was_read(
    tmp_path: Path, help_centre: Path, encoder: MultimodalEncoder
) -> None:
    folder = Path(shutil.copytree(help_centre, tmp_path / "help"))
    with Desk(Settings(data_dir=tmp_path / "data", knowledge={"read_pictures": False})) as desk:
        desk.encoder = encoder
        desk.index(Folder(folder, source="help", product="kite", language="en"))
        assert not desk.catalogue.changes("help")
        (folder / "new.md").write_text("# New\n\nSomething new is here.")
        (folder / "plans.md").write_text("# Plans\n\nThe Team plan costs 13 euros.")
        (folder / "invoices.md").unlink()
        assert desk.catalogue.changes("help") == Changes(new=1, changed=1, gone=1)

        report = desk.index_again("help")

        assert (report.added, report.changed, report.removed, report.unchanged) == (1, 1, 1, 3)
        held = desk.catalogue.article("help/new.md")
        assert held
        assert (held.product, held.language) == ("kite", "en")
        assert desk.catalogue.runs()["help"].counts["added"] == 1


def test_what_is_not_known_is_said(desk: Desk) -> None:
    with pytest.raises(KnowledgeError, match="no such source"):
        desk.index_again("nothing")
    with pytest.raises(KnowledgeError, match="nobody kept how it was indexed"):
        desk.catalogue.folder("nothing")
