"""Names that say nothing are not used."""

import ast
import re
from pathlib import PurePath

from tests.tidy.tree import code, functions, modules

SAYS_NOTHING = re.compile(r"(^|_)(utils?|commons?|helpers?|bases?|misc|managers?|impl|abstract)(_|$)")
"""Words of a name in lower case with underscores."""


def test_modules_and_folders_are_called_after_what_they_hold() -> None:
    parts = {(part, module.path) for module in modules() for part in PurePath(module.path).with_suffix("").parts}
    assert [path for part, path in sorted(parts) if SAYS_NOTHING.search(part)] == []


def test_classes_are_called_after_what_they_are() -> None:
    named = [
        (node.name, module.path)
        for module in code()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef)
    ]
    assert named
    assert [one for one in named if SAYS_NOTHING.search(_words(one[0]))] == []


def test_timestamps_are_never_called_ts() -> None:
    assert [
        f"{module.path}:{node.lineno} {node.arg}"
        for module in code()
        for function in functions(module)
        for node in ast.walk(function.args)
        if isinstance(node, ast.arg) and re.search(r"(^|_)ts($|_)", node.arg)
    ] == []


def _words(name: str) -> str:
    """`RowManager` -> `row_manager`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
