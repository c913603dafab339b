"""Fetchers that are Python functions, found by the names that the flows file uses."""

import importlib
from collections.abc import Mapping, Sequence
from types import ModuleType

from argus.signals.port import Fetcher
from proto.errors import FlowsError
from proto.flows.model import Flows, Signal
from proto.flows.paths import nearest
from proto.flows.signals import is_url


def fetcher_functions(flows: Flows, modules: Sequence[ModuleType]) -> dict[str, Fetcher]:
    """Signal -> function, for those that are not fetched by HTTP. Raises FlowsError with the line of the signal."""
    by_name = {module.__name__: module for module in modules}
    return {name: _function(one, by_name) for name, one in flows.signals.items() if not is_url(one.fetch)}


def _function(signal: Signal, modules: Mapping[str, ModuleType]) -> Fetcher:
    module_name, _, name = signal.fetch.partition(":")
    what, at = f"signal {signal.name!r}: fetch = {signal.fetch!r}", signal.at
    try:
        module = modules.get(module_name) or importlib.import_module(module_name)
    except ImportError as error:
        hint = "is the module on the path, or should its file be passed with --handlers?"
        raise FlowsError(f"{what}: {error}", file=at.file, line=at.line, hint=hint) from error
    function = getattr(module, name, None)
    if not callable(function):
        hint = nearest(name, [known for known in vars(module) if not known.startswith("_")])
        raise FlowsError(f"{what}: {module_name} has no function {name!r}", file=at.file, line=at.line, hint=hint)
    fetcher: Fetcher = function
    return fetcher
