"""Two versions of one package in one process, each with its own modules."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

from assistant.plugging import importing

VERSIONS = ("one", "two")


def package(folder: Path, word: str) -> Path:
    """A package that imports its own modules in every way, also when a function is called."""
    shop = folder / "shop_of_test"
    shop.mkdir(parents=True, exist_ok=True)
    (shop / "__init__.py").write_text("")
    (shop / "words.py").write_text(f"WORD = {word!r}\n")
    (shop / "late.py").write_text("from shop_of_test.words import WORD\n")
    (shop / "plugin.py").write_text(
        "from __future__ import annotations\n"
        "import json\n"
        "from dataclasses import dataclass, field\n"
        "import shop_of_test.words\n"
        "import shop_of_test.words as named\n"
        "from shop_of_test import words\n"
        "from . import words as relative\n"
        "@dataclass\n"
        "class Plugin:\n"
        "    names: list[str] = field(default_factory=list)\n"
        "    def words(self):\n"
        "        from shop_of_test.late import WORD\n"
        "        found = [shop_of_test.words, named, words, relative]\n"
        "        return {WORD, *(module.WORD for module in found)}\n"
    )
    return folder


def load(folder: Path) -> type:
    plugin: type = importing.load(folder, "shop_of_test.plugin:Plugin", {"shop_of_test"})
    return plugin


def test_each_version_finds_its_own_modules_also_when_it_imports_them_late(tmp_path: Path) -> None:
    old, new = (load(package(tmp_path / word, word)) for word in VERSIONS)

    assert [plugin().words() for plugin in (old, new, old)] == [{"one"}, {"two"}, {"one"}]
    assert "shop_of_test" not in sys.modules


def test_the_installed_package_stays_what_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(package(tmp_path / "installed", "installed"))
    from shop_of_test.plugin import Plugin  # type: ignore[import-not-found]

    beside = load(package(tmp_path / "new", "new"))

    assert (Plugin().words(), beside().words()) == ({"installed"}, {"new"})
    for name in [name for name in sys.modules if name.partition(".")[0] == "shop_of_test"]:
        monkeypatch.delitem(sys.modules, name)


def test_an_edit_within_the_same_second_and_of_the_same_size_is_seen(tmp_path: Path) -> None:
    load(package(tmp_path, "old"))
    before = (tmp_path / "shop_of_test/words.py").stat()
    package(tmp_path, "new")
    os.utime(tmp_path / "shop_of_test/words.py", ns=(before.st_atime_ns, before.st_mtime_ns))

    assert load(tmp_path)().words() == {"new"}


def test_a_file_alone_is_a_module_that_can_be_looked_up(tmp_path: Path) -> None:
    """As dataclasses and pydantic do for annotations that are text."""
    (tmp_path / "alone.py").write_text(
        "from __future__ import annotations\n"
        "from dataclasses import dataclass\n"
        "@dataclass\nclass Line:\n    text: str\n"
    )

    module: ModuleType = importing.load(tmp_path, "alone", {"alone"})

    assert sys.modules[module.__name__] is module
    assert module.Line("hello").text == "hello"


def test_a_submodule_of_the_plugin_that_is_missing_is_named(tmp_path: Path) -> None:
    package(tmp_path, "one")
    (tmp_path / "shop_of_test/plugin.py").write_text("import shop_of_test.nothing\n")

    with pytest.raises(ModuleNotFoundError, match=r"shop_of_test\.nothing"):
        load(tmp_path)
