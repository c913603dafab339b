"""Fields and handlers of a test, as a module that an author would have written."""

from collections.abc import Callable
from types import ModuleType
from typing import Any


def module_of(*functions: Callable[..., Any], name: str = "functions") -> ModuleType:
    """A module that an author of these functions would have written."""
    module = ModuleType(name)
    module.__file__ = f"{name}.py"
    for function in functions:
        function.__module__ = name
        setattr(module, function.__name__, function)
    return module
