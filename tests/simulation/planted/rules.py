"""Switches rules off, one at a time: each module here replaces one function of the product by its wrong twin."""

import importlib
import pkgutil

import pytest

from tests.simulation import planted


def names() -> list[str]:
    """All that can be planted."""
    return sorted(module.name for module in pkgutil.iter_modules(planted.__path__) if module.name != "rules")


def plant(name: str, patch: pytest.MonkeyPatch) -> None:
    """Until `patch` is undone."""
    importlib.import_module(f"tests.simulation.planted.{name}").plant(patch)
