"""Exceptions as values: what they say, and where in the author's code they came from."""

import traceback
from pathlib import Path, PurePath

import argus
import proto
from batch.devrun.messages import Trouble

_ENGINE = {str(Path(str(module.__file__)).parent) for module in (argus, proto)} | {str(Path(__file__).parent)}
_MESSAGE_CHARACTERS_MAX = 500


def trouble_of(error: BaseException, sensitive: bool = False) -> Trouble:
    """sensitive: the function's inputs are not to be shown, so neither is a message that may quote them."""
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if str(Path(frame.filename).parent) not in _ENGINE
    ]
    kind = type(error).__name__
    message = "(masked: it reads a sensitive column)" if sensitive else str(error)[:_MESSAGE_CHARACTERS_MAX]
    place = f"{PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    shown = "".join(traceback.format_list(frames)).rstrip()
    return Trouble(kind, message, place, "\n".join(filter(None, [shown, f"{kind}: {message}".rstrip(": ")])))
