"""What an operator may tune in the gateway."""

from pydantic import BaseModel, ConfigDict, Field


class GatewaySettings(BaseModel):
    """All with unit and default."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    unit_rows_max: int = Field(default=100_000, gt=0, description="a source unit with more rows is cut in parts")
    read_rows_max: int = Field(default=4_000, gt=0, description="rows that one read transaction takes at most")
    read_ms_target: float = Field(
        default=8.0,
        gt=0,
        description="rows per read transaction are adapted to this; without WAL a reader locks writers",
    )
    trim_rows: int = Field(
        default=1_000, gt=0, description="the change log is trimmed when it is this many entries behind"
    )
    feed_unit_rows_max: int = Field(
        default=8, gt=0, description="fed rows that are applied in one transaction: short, so that edits get between"
    )
    backfill_page_rows: int = Field(default=500, gt=0, description="rows of a file that one durable commit takes in")
    feed_ahead_rows: int = Field(
        default=10_000, gt=0, description="fed rows that may wait in the log; then no more are taken"
    )
    trim_batch_rows: int = Field(default=1_000, gt=0, description="entries that one trim transaction removes at most")
