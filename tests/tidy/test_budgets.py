"""Modules and functions stay small; each module and folder says what it is for."""

import ast
import re

import pytest

from tests.tidy.tree import ROOT, Module, code, folders, functions, modules

MODULE_LINES_MAX = 500
FUNCTION_LINES_MAX = 60
README_LINES_MAX = 60
TITLE = re.compile(r"# (\d{4}) (.+)")


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.path)
def test_a_module_is_small_and_says_what_it_is_for(module: Module) -> None:
    assert module.text.count("\n") <= MODULE_LINES_MAX, "cut it where it has two subjects"
    if module.text.strip() and not (module.is_test and module.path.endswith("__init__.py")):
        assert ast.get_docstring(module.tree), "begin it with one sentence"


def test_functions_are_small() -> None:
    long = [
        f"{module.path}:{function.lineno} {function.name}: {lines} lines"
        for module in modules()
        for function in functions(module)
        if (lines := (function.end_lineno or 0) - function.lineno + 1) > FUNCTION_LINES_MAX
    ]
    assert not long


@pytest.mark.parametrize("folder", [*map(str, folders()), "tests"])
def test_a_folder_has_a_readme_of_one_screen(folder: str) -> None:
    readme = ROOT / folder / "README.md"
    assert readme.exists(), "purpose, where to begin reading, what it may import, how to run its tests"
    text = readme.read_text(encoding="utf-8")
    assert text.startswith(f"# {folder}"), "the title begins with the folder's path"
    assert text.count("\n") <= README_LINES_MAX


@pytest.mark.parametrize("package", sorted({module.path.rpartition("/")[0] for module in code()}))
def test_a_folder_of_modules_is_a_package(package: str) -> None:
    """Without __init__.py it would be missing from what is installed."""
    assert (ROOT / package / "__init__.py").exists()


def test_decisions_are_numbered_without_gaps_and_say_their_number() -> None:
    files = sorted((ROOT / "ops/decisions").glob("[0-9]*.md"))
    assert files
    for number, file in enumerate(files, 1):
        title = TITLE.match(file.read_text(encoding="utf-8"))
        assert title is not None, f"{file.name}: begin it with `# NNNN Title`"
        assert int(title[1]) == number == int(file.name[:4]), f"{file.name}: number {number:04} is expected here"
