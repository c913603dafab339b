"""Text features, in every script."""

import pytest

from argus.ads.fields.text import display_title, search_terms, text_direction


def test_display_title_is_the_first_with_visible_text() -> None:
    assert display_title("  Cosy \u00a0 rug ", "Headline", "Pin") == "Cosy rug"
    assert display_title(" \t", None, "Pin") == "Pin"
    assert display_title("", None, None) is None


def test_display_title_is_composed_and_bounded() -> None:
    assert display_title("Cafe\u0301", None, None) == "Caf\u00e9"
    assert display_title("x" * 500, None, None) == "x" * 100


@pytest.mark.parametrize(
    ("title", "direction"),
    [
        ("Rug", "ltr"),
        ("50% נעליים", "rtl"),
        ("مطبخ", "rtl"),
        ("✨ Été", "ltr"),
        ("夏", "ltr"),
        ("☀️", "ltr"),
        (None, "ltr"),
    ],
)
def test_text_direction_is_that_of_the_first_letter(title: str | None, direction: str) -> None:
    assert text_direction(title) == direction


def test_search_terms_are_distinct_words_without_case() -> None:
    assert search_terms("A Red RUG", ["red lamp", None, "Straße"]) == ["lamp", "red", "rug", "strasse"]
    assert search_terms(None, []) == []
