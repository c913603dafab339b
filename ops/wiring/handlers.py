"""Loads the modules that `--handlers` names: a module, a file, or a folder of files."""

import importlib
import importlib.util
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

from proto.errors import SettingsError


def load_handlers(names: Iterable[str], flows_file: Path | None) -> list[ModuleType]:
    """Imports each; what lies beside the flows file and in the current folder can be imported, too.

    Raises SettingsError that names the file and the line of a mistake in it.
    """
    beside = [flows_file.resolve().parent] if flows_file else []
    for folder in [*beside, Path.cwd()]:
        if str(folder) not in sys.path:
            sys.path.append(str(folder))
    return [module for name in names for module in _load(name)]


def _load(name: str) -> list[ModuleType]:
    path = Path(name)
    if path.is_dir():
        files = [file for file in sorted(path.glob("*.py")) if file.stem != "__init__"]
        if not files:
            raise SettingsError(f"--handlers {name}: no .py file lies in this folder; name its sub folders, one by one")
        return [_from_file(file) for file in files]
    if path.suffix == ".py":
        if not path.exists():
            raise SettingsError(f"--handlers {name}: there is no such file")
        return [_from_file(path)]
    try:
        return [importlib.import_module(name)]
    except ImportError as error:
        raise SettingsError(f"--handlers {name}: {error}; give a module, a .py file or a folder of them") from error


def _from_file(path: Path) -> ModuleType:
    """The file under its own name, so that a flows file can say `name:function`."""
    file = path.resolve()
    known = sys.modules.get(file.stem)
    if known is not None:
        if getattr(known, "__file__", None) == str(file):
            return known
        raise SettingsError(f"--handlers {path}: a module named {file.stem!r} exists already; rename the file")
    if str(file.parent) not in sys.path:
        sys.path.append(str(file.parent))
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None and spec.loader is not None
    module = sys.modules[file.stem] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[file.stem]
        raise SettingsError(f"--handlers {path}: {_where(error, file)}{type(error).__name__}: {error}") from error
    return module


def _where(error: Exception, file: Path) -> str:
    trace, line = error.__traceback__, 0
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(file):
            line = trace.tb_lineno
        trace = trace.tb_next
    return f"line {line}: " if line else ""
