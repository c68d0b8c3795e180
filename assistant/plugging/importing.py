"""Imports a plugin's code under names of its own, so that two versions of it live side by side.

`sys.modules` has one module of a name. A desk needs two: while a message goes on with the old
version, the next one begins with the new, and a version that is tried runs beside the one in use.
So each load makes a *space*: a package with a number, whose path is the folder with the code, and
in which the plugin's own top-level modules are looked for first. `import orders.shop` in a space is
`import deskmate_space_7.orders.shop`; everything else is imported as ever.

Source is compiled anew each time: a `.pyc` is taken for fresh if time (in seconds) and size of its
source are the same, which after a quick edit says nothing.

What finds its own files by an absolute name, such as `importlib.resources.files("orders")`, gets
those of the installed package; with `__package__` it gets its own.
"""

from __future__ import annotations

import builtins
import importlib
import itertools
import sys
from collections.abc import Callable, Collection, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from operator import attrgetter
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

_numbers = itertools.count(1)


def load(folder: Path, target: str, own: Collection[str]) -> Any:
    """The object `module:name`, or the module, whose code lies in `folder`, in a space of its own.

    `own` are the top-level modules that belong to the plugin. Raises whatever the code raises.
    Old spaces stay: a message under way may still import from one, and each is a few kilobytes.
    """
    if _FINDER not in sys.meta_path:
        sys.meta_path.insert(0, _FINDER)
    space = ModuleType(f"deskmate_space_{next(_numbers)}")
    space.__path__ = [str(folder)]
    sys.modules[space.__name__] = space
    _FINDER.imports[space.__name__] = _importing(space.__name__, frozenset(own))
    importlib.invalidate_caches()
    module, _, name = target.partition(":")
    loaded = importlib.import_module(f"{space.__name__}.{module}")
    return attrgetter(name)(loaded) if name else loaded


def _importing(space: str, own: frozenset[str]) -> Callable[..., ModuleType]:
    def import_(
        name: str,
        globals: Any = None,
        locals: Any = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        top = name.partition(".")[0]
        if level or top not in own:
            return builtins.__import__(name, globals, locals, fromlist or (), level)
        found = builtins.__import__(f"{space}.{name}", globals, locals, fromlist or (), 0)
        # `import a.b` binds `a`, which here is one below the space.
        return found if fromlist else sys.modules[f"{space}.{top}"]

    return import_


class _Source(SourceFileLoader):
    """Compiles a module's source, and runs it with an `__import__` that knows its space."""

    def __init__(self, fullname: str, path: str, import_: Callable[..., ModuleType]) -> None:
        super().__init__(fullname, path)
        self._import = import_

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        code: CodeType = self.source_to_code(self.get_data(path), path)
        return code

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__["__builtins__"] = {**vars(builtins), "__import__": self._import}
        super().exec_module(module)


class _Finder(MetaPathFinder):
    """Finds the modules of spaces; all others are somebody else's."""

    def __init__(self) -> None:
        self.imports: dict[str, Callable[..., ModuleType]] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        import_ = self.imports.get(fullname.partition(".")[0])
        spec = PathFinder.find_spec(fullname, path, target) if import_ else None
        if import_ and spec and type(spec.loader) is SourceFileLoader:
            spec.loader = _Source(spec.loader.name, spec.loader.path, import_)
        return spec


_FINDER = _Finder()
