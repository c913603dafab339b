"""Where HBase is."""

from pydantic import BaseModel, ConfigDict, Field


class HbaseSettings(BaseModel):
    """Addresses are HOST:PORT. Empty: the one that `adsindex cluster up` has started in the data folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    zookeeper: str = Field(default="", description="HOST:PORT of ZooKeeper; of several, with commas")
    thrift: str = Field(default="", description="HOST:PORT of HBase's Thrift1 gateway")
    prefix: str = Field(
        default="",
        pattern=r"^([A-Za-z0-9_]+:)?([A-Za-z0-9_][A-Za-z0-9_.-]*)?$",
        description="before the names of all tables, so that several Repos share an HBase; NAMESPACE: may come first",
    )
