"""What the sample services know: signals about pins and creatives, the same from the same seed.

It is the source of these fields, as the database is that of the others: the service answers with it, and the
independent check looks here, not at the service's answers.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import xxhash

from ops.demo import words

SIGNALS = ("image", "interests", "annotation", "performance")


class Said(NamedTuple):
    """version: of the values, from 1."""

    version: int
    values: Mapping[str, Any]


Says = Callable[[str, int], Said | None]
"""(signal, key) -> what is said about it; None: nothing."""


def says(seed: int) -> Says:
    """The services of one seed. One key in twenty is unknown."""

    def said(signal: str, key: int) -> Said | None:
        bits = xxhash.xxh3_64_intdigest(f"{seed} {signal} {key}".encode())
        values, bits = _VALUES[signal], bits >> 8
        return None if bits % 20 == 0 else Said(1 + bits % 7, values(bits >> 3))

    return said


def nobody_says(signal: str, key: int) -> None:
    """Where no service runs."""


def _image(bits: int) -> dict[str, Any]:
    return {"signature": f"{bits & 0xFFFFFFFF:08x}", "hue": bits % 360, "unsafe_score": (bits >> 9) % 1000 / 1000}


def _interests(bits: int) -> dict[str, Any]:
    count = bits % 5
    names = [words.NOUNS[(bits >> 4 * at) % len(words.NOUNS)] for at in range(count)]
    return {"names": names, "scores": [(bits >> 6 * at) % 100 / 100 for at in range(count)]}


def _annotation(bits: int) -> dict[str, Any]:
    topics = sorted({words.NOUNS[(bits >> 5 * at) % len(words.NOUNS)] for at in range(1 + bits % 3)})
    language = ("en", "de", "ar", None)[bits % 4]
    return {"language": language, "topics": topics, "sentiment": ((bits >> 7) % 2001 - 1000) / 1000}


def _performance(bits: int) -> dict[str, Any]:
    return {
        "ctr": bits % 800 / 10_000,
        "conversion_rate": (bits >> 11) % 500 / 10_000,
        "impressions": (bits >> 20) % 10**7,
        "measured_on": f"2026-11-{1 + bits % 28:02}",
    }


_VALUES: dict[str, Callable[[int], dict[str, Any]]] = {
    "image": _image, "interests": _interests, "annotation": _annotation, "performance": _performance,
}  # fmt: skip
