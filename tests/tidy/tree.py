"""The source tree, as the tidy tests look at it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
PARTS = ("proto", "repo", "gateway", "updater", "argus", "batch", "serving", "ui", "ops")


@dataclass(frozen=True)
class Module:
    """A file of Python. path: from the root, with slashes. It is parsed when a test looks into it, not when all tests
    are collected."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def is_test(self) -> bool:
        return self.path.startswith("tests/")


@cache
def modules() -> tuple[Module, ...]:
    """All of ours, tests among them; not what a program has written."""
    return tuple(_read(path) for path in _files() if not path.stem.endswith("_pb2"))


def generated() -> list[Module]:
    """What a program has written."""
    return [_read(path) for path in _files() if path.stem.endswith("_pb2")]


def code() -> list[Module]:
    """All but the tests."""
    return [module for module in modules() if not module.is_test]


def folders() -> list[Path]:
    """The parts and the folders right below them that hold modules."""
    found = {Path(module.path).parent for module in code() if not module.path.endswith("__init__.py")}
    shortened = {Path(*folder.parts[:depth]) for folder in found for depth in (1, 2)}
    return sorted(folder for folder in shortened if (ROOT / folder).is_dir())


def functions(module: Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """At any depth."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def public_names(module: Module) -> list[str]:
    """What another module may import from it: functions, classes and constants without an underscore."""
    names: list[str] = []
    for node in module.tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.append(node.name)
        elif isinstance(node, ast.Assign):
            names += [target.id for target in node.targets if isinstance(target, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.append(node.target.id)
    return [name for name in names if not name.startswith("_")]


def imported_roots(module: Module) -> set[str]:
    """Top-level names of what it imports."""
    roots: set[str] = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            roots |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            roots.add(node.module.partition(".")[0])
    return roots


def _files() -> list[Path]:
    return [path for part in (*PARTS, "tests") for path in sorted((ROOT / part).rglob("*.py"))]


def _read(path: Path) -> Module:
    return Module(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
