"""Every dependency is imported, declared, pinned, and keeps out of the way of our folders."""

import sys
from collections.abc import Iterable
from configparser import ConfigParser
from importlib.metadata import distribution, packages_distributions

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.tidy.tree import PARTS, ROOT, Module, code, generated, imported_roots, modules

SYSTEMS = (("linux", "Linux"), ("darwin", "Darwin"))
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
TOOLS = {"grpcio-tools", "import-linter", "mypy", "pytest-xdist", "ruff"}
"""Run, not imported."""
COME_ALONG = {"packaging", "setuptools"}
"""Imported by tests, and there because pytest or pip need them."""


def declared(section: str, option: str) -> set[str]:
    """Names of a list of requirements in setup.cfg."""
    settings = ConfigParser()
    settings.read(ROOT / "setup.cfg")
    return {canonicalize_name(Requirement(line).name) for line in settings[section][option].split()}


def extras() -> list[str]:
    """Names of the groups of requirements that a plain install leaves out."""
    settings = ConfigParser()
    settings.read(ROOT / "setup.cfg")
    return settings.options("options.extras_require")


DEV = declared("options.extras_require", "dev")
EXTRAS = set().union(*(declared("options.extras_require", extra) for extra in extras() if extra != "dev"))
RUNTIME = declared("options", "install_requires") | EXTRAS


def used(of: Iterable[Module]) -> set[str]:
    """Distributions, other than ours, that these modules import."""
    known = packages_distributions()
    roots = set().union(*map(imported_roots, of)) - set(PARTS) - {"tests"} - sys.stdlib_module_names
    return {canonicalize_name(name) for root in roots for name in known.get(root, [])} - {"adsindex"}


def test_the_product_imports_what_it_declares_and_nothing_else() -> None:
    assert used([*code(), *generated()]) == RUNTIME


def test_tests_import_nothing_that_is_not_declared() -> None:
    assert used([*modules(), *generated()]) - COME_ALONG | TOOLS == RUNTIME | DEV


def test_every_dependency_is_pinned_and_nothing_else() -> None:
    pins = [Requirement(line) for line in (ROOT / "constraints.txt").read_text().splitlines()]
    assert all(str(pin.specifier).startswith("==") for pin in pins)
    assert {canonicalize_name(pin.name) for pin in pins} == _closure(RUNTIME | DEV)


def test_no_dependency_ships_a_module_that_is_named_as_one_of_ours() -> None:
    known = packages_distributions()
    assert {part: known[part] for part in (*PARTS, "tests") if set(known.get(part, [])) - {"adsindex"}} == {}


def _closure(names: Iterable[str]) -> set[str]:
    """With everything that they need, on the systems and Pythons that we support."""
    extras: dict[str, set[str]] = {}
    waiting: list[tuple[str, set[str]]] = [(name, set()) for name in names]
    while waiting:
        name, wanted = waiting.pop()
        if name in extras and wanted <= extras[name]:
            continue
        extras.setdefault(name, set()).update(wanted)
        for text in distribution(name).requires or []:
            requirement = Requirement(text)
            if _applies(requirement, extras[name]):
                waiting.append((canonicalize_name(requirement.name), requirement.extras))
    return set(extras)


def _applies(requirement: Requirement, extras: set[str]) -> bool:
    return requirement.marker is None or any(
        requirement.marker.evaluate(
            {
                "extra": extra,
                "sys_platform": platform,
                "platform_system": system,
                "python_version": python,
                "python_full_version": f"{python}.0",
            }
        )
        for extra in (*extras, "")
        for platform, system in SYSTEMS
        for python in PYTHONS
    )
