"""Tables: aligned, fitted on a terminal, whole lines elsewhere."""

import pytest
from rich.cells import cell_len

from ops.cli import render


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "30")
    monkeypatch.setenv("TERM", "xterm")


def test_columns_are_aligned_by_cells_not_by_characters(capsys: pytest.CaptureFixture[str]) -> None:
    render.print_table(("name", "value"), [("日本", "1"), ("abc", "2")])
    lines = capsys.readouterr().out.splitlines()
    assert [cell_len(line) - 1 for line in lines[1:]] == [6, 6]


def test_numbers_stand_right(capsys: pytest.CaptureFixture[str]) -> None:
    render.print_table(("name", "count"), [("a", "1"), ("b", "1,000")], right=(1,))
    assert capsys.readouterr().out.splitlines() == ["name  count", "a         1", "b     1,000"]


def test_without_a_terminal_a_row_is_one_line_however_long(capsys: pytest.CaptureFixture[str]) -> None:
    render.print_table(("a", "b"), [("x", "word " * 100)])
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_on_a_narrow_terminal_the_last_column_goes_on_below_itself(
    narrow: None, capsys: pytest.CaptureFixture[str]
) -> None:
    render.print_table(("key", "value"), [("x", "the quick brown fox jumps over the lazy dog")])
    _, *lines = capsys.readouterr().out.splitlines()
    assert lines == ["x    the quick brown fox jumps", "     over the lazy dog"]


def test_values_are_shown_so_that_they_cannot_be_mistaken() -> None:
    assert [render.shown(value) for value in (None, "NULL", "", " a", "a\nb", True, "true", 1.5, ["x"], "Größe")] == [
        "NULL", '"NULL"', '""', '" a"', '"a\\nb"', "true", '"true"', "1.5", '["x"]', "Größe",
    ]  # fmt: skip


def test_a_long_value_is_cut_and_says_so() -> None:
    shown = render.shown("x" * 1_000_000)
    assert len(shown) < 500
    assert "1,000,000 characters" in shown


def test_markup_in_data_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    render.print_table(("a",), [("[bold]x[/bold]",)])
    render.print_line("[red]y[/red] :smile:")
    assert capsys.readouterr().out.splitlines()[1:] == ["[bold]x[/bold]", "[red]y[/red] :smile:"]
