"""Parts of ours that need libraries which a plain install leaves out."""

from importlib import import_module
from typing import Any

from proto.errors import SettingsError


def needing(extras: str, module: str) -> Any:
    """That module of ours. extras: as pip names them. Raises SettingsError where they are not installed."""
    try:
        return import_module(module)
    except ImportError as error:
        raise SettingsError(f"{error.name or error} is missing: pip install 'adsindex[{extras}]'") from error
