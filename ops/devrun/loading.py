"""Loads one version of an application: the running one as `run` does, a new one with its files in place of the running
ones.

The same module names mean different code in the two versions, so each version is loaded in a process of its own.
"""

import importlib.util
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

import msgspec

from argus.registry import Application, register
from batch.devrun.gaps import gaps, read_where_stored
from ops.wiring.handlers import load_handlers
from proto.errors import SettingsError
from proto.flows.loader import loads
from proto.flows.model import Flows


class Code(msgspec.Struct):
    """Which code a version is made of. new: files and folders in place of running ones, or beside them, or a module.

    stored_flows: the flows that the stored rows were written by
    """

    flows: str
    flows_file: str
    handlers: list[str]
    new: list[str]
    stored_flows: str


class Loaded(msgspec.Struct):
    """files: of the new code that are in use."""

    application: Application
    files: list[str]
    remarks: list[str]


def load_code(code: Code) -> Loaded:
    """To be called once in a process. Raises SettingsError or FlowsError that says what is wrong with the code."""
    stored = loads(code.stored_flows, code.flows_file)
    flows = loads(code.flows, code.flows_file)
    flows_file = Path(code.flows_file) if Path(code.flows_file).exists() else None
    load_handlers([], flows_file)  # what may be imported
    names = _modules_named(flows)
    places = _places(code, names)
    sys.meta_path.insert(0, _InPlace(places))
    wanted = _handlers(code, places)
    folders = [str(Path(name).resolve().parent) for name in wanted if Path(name).is_file()]
    sys.path[:0] = dict.fromkeys(folders)  # what these import from beside them, before anything else of that name
    modules = load_handlers(wanted, flows_file)
    application = register(read_where_stored(flows, stored), modules)
    files = _files_in_use(code.new, places, application)
    if code.new and not files:
        shown, used = ", ".join(code.new), ", ".join(sorted(names)) or "no module"
        raise SettingsError(
            f"--handlers {shown}: nothing in it is used. The flows name functions of {used}; give a file or folder "
            f"whose files are called as those, or --flows that name the new ones"
        )
    return Loaded(application, files, gaps(flows, stored))


class _InPlace(MetaPathFinder):
    """Finds modules where Python finds them, and takes the new file where there is one for it."""

    def __init__(self, places: Mapping[Path, Path]) -> None:
        self._places = places

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        found = PathFinder.find_spec(fullname, path, target)
        origin = Path(found.origin).resolve() if found is not None and found.origin else None
        if origin is None:
            return self._added(fullname, path)
        new = self._places.get(origin) or self._inside(origin)
        if new is None:
            return None
        places = found.submodule_search_locations if found is not None else None
        return importlib.util.spec_from_file_location(fullname, new, submodule_search_locations=places)

    def _inside(self, origin: Path) -> Path | None:
        """The file in a new folder that stands where `origin` stands in the running one."""
        for old, new in self._places.items():
            if old in origin.parents and (file := new / origin.relative_to(old)).is_file():
                return file
        return None

    def _added(self, fullname: str, path: Sequence[str] | None) -> ModuleSpec | None:
        """A module that only the new code has, in a package of the running one."""
        for folder in path or ():
            wanted = Path(folder).resolve() / f"{fullname.rpartition('.')[2]}.py"
            if (file := self._inside(wanted)) is not None:
                return importlib.util.spec_from_file_location(fullname, file)
        return None


def _places(code: Code, names: Iterable[str]) -> dict[Path, Path]:
    """Running file or folder -> the new one that stands for it."""
    places: dict[Path, Path] = {}
    running = [Path(name).resolve() for name in code.handlers if Path(name).exists()]
    origins = [Path(spec.origin).resolve() for name in names if (spec := _spec(name)) is not None and spec.origin]
    for text in code.new:
        new = Path(text).resolve()
        if new.is_dir():
            folders = [one for one in running if one.is_dir()]
            same_name = [one for one in folders if one.name == new.name]
            for old in same_name or (folders if len(folders) == 1 else []):
                places[old] = new
            for root in {root for origin in origins if (root := _root(new, origin)) is not None}:
                places[root] = new
        elif new.is_file():
            files = [one for one in running if one.is_file()] + origins
            files += [file for one in running if one.is_dir() for file in one.glob("*.py")]
            places.update({file: new for file in files if file.name == new.name})
        elif new.suffix == ".py" or "/" in text:
            raise SettingsError(f"--handlers {text}: there is no such file or folder")
    same = [old for old, new in places.items() if old == new]
    if same:
        raise SettingsError(
            f"--handlers {same[0]} is the running code itself: there is nothing to compare it with. Edit a copy (git "
            f"worktree makes one), or name the running code as it was with --running"
        )
    return places


def _root(new: Path, origin: Path) -> Path | None:
    """The folder that `new` stands for, if it holds a file where `origin` lies: for .../ads/fields/bid.py and a new
    folder with fields/bid.py, .../ads."""
    for depth in range(1, len(origin.parts)):
        if (new / Path(*origin.parts[-depth:])).is_file():
            return origin.parents[depth - 1]
    return None


def _modules_named(flows: Flows) -> set[str]:
    """Modules that the flows name, as `module:function`."""
    handlers = [field.handler for document in flows.documents.values() for field in document.fields.values()]
    handlers += [column.writer for table in flows.tables.values() for column in table.columns.values()]
    return {name.partition(":")[0] for name in handlers if ":" in name}


def _spec(name: str) -> ModuleSpec | None:
    try:
        return importlib.util.find_spec(name)
    except (ImportError, ValueError):  # the registry will say so, with the line of the flows file
        return None


def _is_placed(name: str, places: Mapping[Path, Path]) -> bool:
    return Path(name).resolve() in places.values()


def _handlers(code: Code, places: Mapping[Path, Path]) -> list[str]:
    """The running files and modules, those of the new code in their places, and what the new code has besides."""
    wanted: dict[str, None] = {}
    for name in (*code.handlers, *(name for name in code.new if not _is_placed(name, places))):
        path = Path(name)
        folder = places.get(path.resolve(), path)
        files = (
            [folder] if not folder.is_dir() else [one for one in sorted(folder.glob("*.py")) if one.stem != "__init__"]
        )
        if path.exists():
            wanted |= {str(places.get(file.resolve(), file)): None for file in files}
        else:
            wanted[name] = None
    return list(wanted)


def _files_in_use(new: Iterable[str], places: Mapping[Path, Path], application: Application) -> list[str]:
    """Files of the new code that stand in place of running ones, or hold a function that the flows use."""
    roots = [Path(name).resolve() for name in new if Path(name).exists()]
    modules = {spec.function.__module__ for spec in application.fields.values()}
    modules |= {spec.function.__module__ for spec in application.handlers.values()}
    files = []
    for name, module in list(sys.modules.items()):
        path = Path(getattr(module, "__file__", None) or "").resolve()
        placed = any(one == path or one in path.parents for one in places.values())
        lies_there = name in new or any(root == path or root in path.parents for root in roots)
        if placed or (lies_there and name in modules):
            files.append(str(path))
    return sorted(set(files))
