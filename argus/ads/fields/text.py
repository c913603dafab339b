"""Text features. Titles come in every script, with emoji, combining marks, and stray spaces."""

import re
from unicodedata import bidirectional, normalize

from argus.api import field

TITLE_CHARACTERS_MAX = 100
_WORD = re.compile(r"\w{2,}")


@field(inputs={"title": "title", "headline": "creative.headline", "pin_title": "pin.title"}, version=1)
def display_title(title: str | None, headline: str | None, pin_title: str | None) -> str | None:
    """The first title that has visible text: composed (NFC), single spaces, at most 100 characters."""
    for candidate in (title, headline, pin_title):
        shown = " ".join(normalize("NFC", candidate).split()) if candidate else ""
        if shown:
            return shown[:TITLE_CHARACTERS_MAX]
    return None


@field(inputs={"title": "title"}, version=1)
def text_direction(title: str | None) -> str:
    """Direction of the title's first letter that has one: `rtl` or `ltr`."""
    if title is None or title.isascii():
        return "ltr"
    kinds = (bidirectional(character) for character in title)
    return "rtl" if next((kind for kind in kinds if kind in ("L", "R", "AL")), "L") != "L" else "ltr"


@field(inputs={"title": "title", "keywords": "ad_keywords.keyword.name"}, version=1)
def search_terms(title: str | None, keywords: list[str | None]) -> list[str]:
    """Distinct words of the title and the keywords, without case, in order."""
    text = normalize("NFC", " ".join([title or "", *(keyword for keyword in keywords if keyword)]))
    return sorted(set(_WORD.findall(text.casefold())))
