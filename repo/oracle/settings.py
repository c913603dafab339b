"""What an operator may tune in the oracle."""

from pydantic import BaseModel, ConfigDict, Field

TRANSACTION_AGE_S = (5.0, 300.0)
"""Well above the age up to which clients use an id that came with a snapshot (spare_id_ms_max), and well below the one
from which garbage collection takes all for decided (settled_ms): it could sweep away what has just been committed."""


class OracleSettings(BaseModel):
    """All with unit and default."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field(default="127.0.0.1", description="where it listens, and what it publishes for its clients")
    port: int = Field(default=0, ge=0, lt=65536, description="0: one that is free; clients find it by ZooKeeper")
    session_s: float = Field(
        default=3.0, gt=0, description="a leader that ZooKeeper has not heard for so long is replaced"
    )
    transaction_age_s_max: float = Field(
        default=60.0,
        ge=TRANSACTION_AGE_S[0],
        le=TRANSACTION_AGE_S[1],
        description="an older transaction is refused; what it may have written can be collected",
    )
    conflict_cells_max: int = Field(
        default=5_000_000, gt=0, description="cells whose last commit is remembered, in 32 bytes each"
    )
