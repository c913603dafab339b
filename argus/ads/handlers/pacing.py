"""Pacing: how much of its daily budget a campaign has spent, worked out once and not for each of its ads."""

from argus.api import Change, HandlerContext, handler

BEHIND_BELOW = 0.5


@handler(observes=["campaigns.daily_budget_micros", "spend.spent_micros"], version=1)
async def pace_campaign(ctx: HandlerContext, change: Change) -> None:
    """Writes `pace` and `pace_state` of the campaign whose budget or spend has changed."""
    row = ctx.row("campaigns", *change.row.key)  # spend has the campaign's key
    campaign, spend = await ctx.read(row, ctx.row("spend", *change.row.key))
    if campaign is None:
        ctx.delete(row)
        return
    pace = spent_share(campaign["daily_budget_micros"], spend["spent_micros"] if spend else None)
    ctx.write(row, {"pace": pace, "pace_state": pace_state(pace)})


def spent_share(daily_budget_micros: int | None, spent_micros: int | None) -> float | None:
    """Spent part of the daily budget, 1.0 when it is used up; None without a budget."""
    if not daily_budget_micros or daily_budget_micros < 0:
        return None
    return round((spent_micros or 0) / daily_budget_micros, 4)


def pace_state(pace: float | None) -> str:
    """UNLIMITED, BEHIND, ON_TRACK or EXHAUSTED."""
    if pace is None:
        return "UNLIMITED"
    return "EXHAUSTED" if pace >= 1 else "BEHIND" if pace < BEHIND_BELOW else "ON_TRACK"
