"""Which documents a dry run looks at: drawn at random, the same for the same seed, and such that rare things show.

Most of a sample is drawn evenly from all candidates, so that shares in it mean something. The rest is there for what
is rare: whatever fields are NULL, empty, negative, or one of a few values in some document, is in the sample at least
a few times if it can be.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from random import Random
from typing import Any

EVEN_SHARE = 0.7
_EACH_MAX = 3
_VALUES_OF_A_CATEGORY_MAX = 50
_Token = tuple[str, Any]
"""(field, what is special about its value)."""


class Sampler:
    """Offer all candidates once, then `chosen`. Memory is bounded by the size of the sample and by what is special."""

    def __init__(self, size: int, seed: int) -> None:
        self._size, self._random = size, Random(seed)
        self._offered = 0
        self._even: list[tuple[bytes, frozenset[_Token]]] = []
        self._special: dict[_Token, list[bytes]] = {}
        self._seen: Counter[_Token] = Counter()
        self._categories: dict[str, set[Any]] = {}

    def offer(self, key: bytes, servable: bool, fields: Mapping[str, Any]) -> None:
        """A document as it is stored."""
        tokens = frozenset(self._tokens(servable, fields))
        self._offered += 1
        if len(self._even) < self._size:
            self._even.append((key, tokens))
        elif (place := self._random.randrange(self._offered)) < self._size:
            self._even[place] = (key, tokens)
        for token in tokens:
            self._seen[token] += 1
            kept = self._special.setdefault(token, [])
            if len(kept) < _EACH_MAX:
                kept.append(key)
            elif (place := self._random.randrange(self._seen[token])) < _EACH_MAX:
                kept[place] = key

    @property
    def offered(self) -> int:
        return self._offered

    def chosen(self) -> list[bytes]:
        """At most `size` keys, in key order."""
        self._random.shuffle(self._even)
        even = self._even[: max(1, int(self._size * EVEN_SHARE))] if self._offered > self._size else self._even
        chosen = dict.fromkeys(key for key, _ in even)
        covered = Counter(token for _, tokens in even for token in tokens)
        rare = sorted(self._special, key=lambda token: (self._seen[token], repr(token)))
        for key in (key for token in rare if covered[token] < _EACH_MAX for key in self._special[token]):
            if len(chosen) >= self._size:
                break
            chosen[key] = None
        for key, _ in self._even:
            if len(chosen) >= self._size:
                break
            chosen[key] = None
        return sorted(chosen)

    def _tokens(self, servable: bool, fields: Mapping[str, Any]) -> Iterable[_Token]:
        yield "servable", servable
        for name, value in fields.items():
            if value is None or value == [] or value == "" or value == {}:
                yield name, repr(value)
            elif isinstance(value, bool):
                yield name, value
            elif isinstance(value, int | float):
                yield name, "negative" if value < 0 else "zero" if value == 0 else "positive"
            elif isinstance(value, str):
                known = self._categories.setdefault(name, set())
                if value in known or len(known) < _VALUES_OF_A_CATEGORY_MAX:
                    known.add(value)
                    yield name, value
                else:
                    yield name, "text"
            else:
                yield name, "filled"


def spread(keys: Sequence[bytes], size: int, random: Random) -> list[bytes]:
    """At most `size` of the keys, at random, in their order."""
    return sorted(random.sample(list(keys), size)) if len(keys) > size else list(keys)
