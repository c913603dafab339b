"""Loads a flows file. What is wrong with it is reported together, each with file, line and a hint."""

import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

from proto.errors import FlowsError
from proto.flows.documents import build_documents
from proto.flows.generation import generation_of
from proto.flows.locator import locate
from proto.flows.model import Flows
from proto.flows.problems import Problems
from proto.flows.shortcuts import build_shortcuts
from proto.flows.signals import build_signals
from proto.flows.spelling import read_spelling
from proto.flows.tables import build_tables

_WHERE = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)$")


def load(path: str | Path) -> Flows:
    """Reads a file. Raises FlowsError: the first error, with those that were found with it in `others`."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        hint = "`adsindex init --source URL` writes a first one"
        raise FlowsError("there is no such flows file", file=str(path), hint=hint) from None
    except UnicodeDecodeError:
        raise FlowsError("it is not UTF-8 text", file=str(path), hint="save it as UTF-8") from None
    except OSError as error:
        raise FlowsError(f"it can't be read: {error.strerror}", file=str(path)) from None
    return loads(text, str(path))


def loads(text: str, file: str = "flows.toml") -> Flows:
    """The same for a text; `file` is its name in error texts."""
    data = _read_toml(text, file)
    problems = Problems(file, locate(text))
    spelled = read_spelling(data, problems)
    if spelled is not None and not spelled.tables:
        problems.add((), "there is no table in it", "add [tables.NAME], or let `adsindex init --source URL` write it")
    problems.raise_if_any()
    assert spelled is not None  # misspelt files have problems
    signals = build_signals(spelled.signals, problems)
    flows = Flows(build_tables(spelled.tables, problems), {}, 0, file, text, signals=signals)
    problems.raise_if_any()  # a link that is wrong would make every path along it look wrong
    documents = build_documents(spelled.documents, flows, problems)
    shortcuts = build_shortcuts(spelled.shortcuts, flows, problems)
    problems.raise_if_any()
    generation = generation_of(flows.tables, documents, signals, shortcuts)
    return replace(flows, documents=documents, shortcuts=shortcuts, generation=generation)


def _read_toml(text: str, file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        where = _WHERE.search(message)
        line = int(where[1] or text.count("\n") + 1) if where else 0
        raise FlowsError(f"not TOML: {_WHERE.sub('', message)}", file=file, line=line, hint=_hint(message)) from None


def _hint(message: str) -> str:
    if any(word in message for word in ("overwrite", "Cannot declare", "Duplicate", "mutate")):
        return "it is there twice: remove one"
    if "key part" in message or "inline table" in message.lower() or "Unclosed" in message:
        return "an inline table { ... } stands on one line; a long one is a section, such as [tables.ads.columns]"
    return 'text stands in quotes, as in source = "ads"'
