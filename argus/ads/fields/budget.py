"""What may be spent, and what is left of it."""

from decimal import Decimal

from argus.api import field

CENT = Decimal("0.01")
MICROS = 1_000_000


@field(
    inputs={
        "daily_budget_micros": "ad_group.campaign.daily_budget_micros",
        "usd_rate": "ad_group.campaign.budget.currency.usd_rate",
    },
    version=1,
)
def daily_budget_usd(daily_budget_micros: int | None, usd_rate: Decimal | None) -> Decimal | None:
    """The campaign's daily budget in US dollars, to the cent."""
    if daily_budget_micros is None or usd_rate is None:
        return None
    return (daily_budget_micros * usd_rate / MICROS).quantize(CENT)


@field(
    inputs={"amount": "ad_group.campaign.budget.amount", "usd_rate": "ad_group.campaign.budget.currency.usd_rate"},
    version=1,
)
def shared_budget_usd(amount: Decimal | None, usd_rate: Decimal | None) -> Decimal | None:
    """The budget that the campaign draws on, in US dollars, to the cent."""
    return None if amount is None or usd_rate is None else (amount * usd_rate).quantize(CENT)


@field(
    inputs={
        "daily_budget_micros": "ad_group.campaign.daily_budget_micros",
        "spent_micros": "ad_group.campaign.spend.spent_micros",
    },
    version=1,
)
def remaining_budget_micros(daily_budget_micros: int | None, spent_micros: int | None) -> int | None:
    """What the campaign may still spend today; never negative."""
    return None if daily_budget_micros is None else max(daily_budget_micros - (spent_micros or 0), 0)
