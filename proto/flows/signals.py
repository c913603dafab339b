"""The signals of a flows file: from their spelling to the model."""

import re
from collections.abc import Mapping

from proto.flows.model import BreakerLimits, Signal
from proto.flows.problems import Problems
from proto.flows.spelling import SignalSpelling
from proto.flows.tables import check_name

_FETCH = re.compile(r"https?://[^\s/]+\S*|[^\W\d][\w.]*:[^\W\d]\w*")


def is_url(fetch: str) -> bool:
    """Whether a signal is fetched by HTTP, not by a function."""
    return fetch.startswith(("http://", "https://"))


def build_signals(spelled: Mapping[str, SignalSpelling], problems: Problems) -> dict[str, Signal]:
    """What is wrong is noted. Keys are looked at where a document uses the signal: they begin at its root."""
    return {name: _signal(name, one, problems) for name, one in spelled.items()}


def _signal(name: str, spelled: SignalSpelling, problems: Problems) -> Signal:
    path = ("signals", name)
    check_name(name, path, "signal", problems)
    if not _FETCH.fullmatch(spelled.fetch):
        hint = 'write fetch = "package.module:function", or fetch = "http://HOST:PORT/PATH"'
        problems.add((*path, "fetch"), f"signal {name!r} can't be fetched from {spelled.fetch!r}", hint)
    if not spelled.fields:
        problems.add((*path, "fields"), f"signal {name!r} has no fields", 'add fields = { score = "float", ... }')
    for field in spelled.fields:
        if not field.isidentifier():
            hint = "use letters, digits and underscores"
            problems.add((*path, "fields", field), f"signal {name!r}: {field!r} can't stand in a path", hint)
    if spelled.breaker.open_s_max < spelled.breaker.open_s:
        hint = "open_s is the first wait, open_s_max the longest"
        problems.add((*path, "breaker"), f"signal {name!r}: open_s is above open_s_max", hint)
    return Signal(
        name=name,
        fetch=spelled.fetch,
        key=spelled.key,
        fields=dict(spelled.fields),
        max_age_s=spelled.max_age_s,
        absent_max_age_s=spelled.absent_max_age_s or spelled.max_age_s,
        timeout_ms=spelled.timeout_ms,
        on_failure=spelled.on_failure,
        batch_keys_max=spelled.batch_keys_max,
        cache_keys_max=spelled.cache_keys_max,
        value_bytes_max=spelled.value_bytes_max,
        response_bytes_max=spelled.response_bytes_max,
        breaker=BreakerLimits(**spelled.breaker.model_dump()),
        at=problems.at(path),
    )
