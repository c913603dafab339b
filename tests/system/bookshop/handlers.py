"""The book shop's computed field and handler."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from argus.api import Change, HandlerContext, field, handler


@field(inputs={"stock": "stock"}, version=1)
def available(stock: list[Mapping[str, Any]]) -> int:
    """Copies that can be sold now, over all warehouses."""
    return sum(max((place["quantity"] or 0) - (place["reserved"] or 0), 0) for place in stock)


@handler(observes=["order_lines", "orders.shipping"], version=1)
async def add_up_order(ctx: HandlerContext, change: Change) -> None:
    """Keeps what an order costs and how many pieces it has; a line's key begins with its order's."""
    shop, number = change.row.key[:2]
    totals, order_row = ctx.row("order_totals", shop, number), ctx.row("orders", shop, number)
    order = await ctx.read(order_row)
    if order is None:
        ctx.delete(totals)
        return
    lines = await ctx.collection(order_row, "lines")
    costs = [(line["quantity"] or 0) * (line["unit_price"] or Decimal(0)) for line in lines]
    pieces = sum(line["quantity"] or 0 for line in lines)
    ctx.write(totals, {"total": sum(costs, order["shipping"] or Decimal(0)), "pieces": pieces})
