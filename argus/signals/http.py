"""A fetcher that asks a service by HTTP: one POST for many keys.

    POST URL    {"keys": [7, 8]}
    200         {"answers": [{"key": 7, "version": 3, "values": {"ctr": 0.1}}, {"key": 8, "values": null}]}

A version is a whole number above 0 that never goes back. `values: null` says that nothing is known about a key; a key
that is left out has failed. Bytes are base64, decimals, dates and datetimes are text.
"""

import base64
import time
from collections.abc import Sequence
from typing import Any

import httpx
import msgspec

from argus.api import Reading
from argus.signals.port import Key
from proto.errors import InvalidMessageError, UnavailableError
from proto.flows.model import Signal


class _Answer(msgspec.Struct):
    key: Any
    version: Any = None
    values: Any = None


class _Body(msgspec.Struct):
    answers: list[_Answer]


_WANTED = '{"answers": [{"key": 7, "version": 3, "values": {"FIELD": 1}}]}'
_decode = msgspec.json.Decoder(_Body).decode
_encode = msgspec.json.Encoder().encode


class HttpFetcher:
    """A Fetcher (argus.signals.port). Safe to call from several threads. url: in place of the signal's own.

    Proxies of the environment are not used, redirects not followed: the service is where the flows file says.
    """

    def __init__(self, signal: Signal, url: str = "") -> None:
        self._signal, self._url = signal, url or signal.fetch
        self._client = httpx.Client(timeout=signal.timeout_ms / 1000.0, trust_env=False)
        self._bytes_fields = [name for name, kind in signal.fields.items() if kind == "bytes"]

    def __call__(self, keys: Sequence[Key]) -> dict[Key, Reading | None]:
        """Raises UnavailableError when there is no answer in time, InvalidMessageError for one that is none."""
        try:
            body = self._posted(_encode({"keys": keys}))
        except httpx.TimeoutException:
            raise UnavailableError(self._too_late()) from None
        except httpx.HTTPError as error:
            raise UnavailableError(f"{self._url}: {error or type(error).__name__}") from None
        try:
            answers = _decode(body).answers
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise InvalidMessageError(
                f"{self._url}: the answer is not what was agreed: {error}; wanted is {_WANTED}"
            ) from None
        own = {_as_json(key): key for key in keys}
        return {own[one.key]: self._reading(one) for one in answers if _is_scalar(one.key) and one.key in own}

    def close(self) -> None:
        """Closes its connections."""
        self._client.close()

    def _posted(self, content: bytes) -> bytes:
        """The body of the answer, which may be neither late nor too long, however slowly it comes."""
        deadline_s = time.monotonic() + self._signal.timeout_ms / 1000.0
        headers = {"content-type": "application/json"}
        with self._client.stream("POST", self._url, content=content, headers=headers) as response:
            if response.status_code != httpx.codes.OK:
                raise UnavailableError(f"{self._url}: HTTP {response.status_code} {response.reason_phrase}")
            body = bytearray()
            for part in response.iter_bytes():  # as they come: a chunk of its own size would be waited for
                body += part
                if len(body) > self._signal.response_bytes_max:
                    most = self._signal.response_bytes_max
                    raise InvalidMessageError(f"{self._url}: the answer is above response_bytes_max = {most:,}")
                if time.monotonic() > deadline_s:
                    raise UnavailableError(self._too_late())
        return bytes(body)

    def _too_late(self) -> str:
        return f"{self._url}: no whole answer within {self._signal.timeout_ms:g} ms"

    def _reading(self, answer: _Answer) -> Reading | None:
        values = answer.values
        if values is None:
            return None
        if self._bytes_fields and isinstance(values, dict):
            values = {**values, **{name: _from_base64(values.get(name)) for name in self._bytes_fields}}
        return Reading(values, answer.version)


def _as_json(key: Key) -> Key:
    return base64.b64encode(key).decode() if isinstance(key, bytes) else key


def _is_scalar(key: Any) -> bool:
    return isinstance(key, str | int | float)


def _from_base64(text: Any) -> Any:
    try:
        return None if text is None else base64.b64decode(text, validate=True)
    except (ValueError, TypeError):
        return text  # refused, with its field's name, when the answer is checked
