"""What may be spent."""

from decimal import Decimal

from argus.ads.fields.budget import daily_budget_usd, remaining_budget_micros, shared_budget_usd


def test_daily_budget_in_dollars_to_the_cent() -> None:
    assert daily_budget_usd(12_345_678, Decimal("1.0842")) == Decimal("13.39")
    assert daily_budget_usd(0, Decimal(1)) == Decimal("0.00")
    assert daily_budget_usd(None, Decimal(1)) is None
    assert daily_budget_usd(1, None) is None


def test_shared_budget_in_dollars_to_the_cent() -> None:
    assert shared_budget_usd(Decimal("99.99"), Decimal("0.5")) == Decimal("50.00")
    assert shared_budget_usd(None, Decimal(1)) is None


def test_remaining_budget_is_never_negative() -> None:
    assert remaining_budget_micros(100, 30) == 70
    assert remaining_budget_micros(100, 300) == 0
    assert remaining_budget_micros(100, None) == 100
    assert remaining_budget_micros(None, 30) is None
