"""What an operator may tune in the engine."""

from pydantic import BaseModel, ConfigDict, Field


class EngineSettings(BaseModel):
    """Numbers of the loop, the lanes and the retries."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    batch_ms_max: float = Field(default=40.0, gt=0, description="High lane: aimed length of one batch, ms")
    lower_batch_ms_max: float = Field(
        default=20.0, gt=0, description="Medium and Low: the same while no higher lane has traffic"
    )
    slice_ms_max: float = Field(
        default=1.0, gt=0, description="Medium and Low: the same while a higher lane has traffic"
    )
    fan_out_ms_max: float = Field(
        default=5.0, gt=0, description="the same for a fan-out of the High lane: many documents wait for it"
    )
    traffic_ms: float = Field(default=1000.0, gt=0, description="a lane has traffic for so long after its last message")
    low_share: float = Field(
        default=0.25, gt=0, le=1, description="of a process's time that Low gets while High has traffic"
    )
    batch_items_max: int = Field(default=2000, gt=0, description="messages in one batch")
    batch_bytes_max: int = Field(
        default=8 << 20, gt=0, description="bytes of messages read from one partition for one batch"
    )
    attempts_max: int = Field(default=5, gt=0, description="a message that raises so often becomes a dead letter")
    retry_ms_min: float = Field(default=10.0, gt=0, description="wait before the second attempt; doubles each time")
    retry_ms_max: float = Field(default=2000.0, gt=0, description="the longest wait between attempts")
    outstanding_max: int = Field(
        default=10_000, gt=0, description="how far a consumer runs ahead of a message that waits"
    )
    flush_ms: float = Field(
        default=50.0, gt=0, description="positions that no other write took along are saved after so long"
    )
    sweep_ms: float = Field(default=100.0, gt=0, description="a loop looks at everything so often, rung or not")
    quiet_sweep_ms: float = Field(default=500.0, gt=0, description="the same after two seconds without work")
    backlog_max: int = Field(
        default=100_000, gt=0, description="messages behind, in one lane, at which the gateway is held"
    )
