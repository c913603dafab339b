"""What a person reads when a source can't go on: in one piece, and in its two."""

_AS_IT_IS_NOW = ". To take it as it is now: "


def stopped(source: str, why: str) -> str:
    """source: its name in quotes, or its URL."""
    return f"source {source} has stopped: {why}{_AS_IT_IS_NOW}adsindex source attach --new-incarnation"


def why_and_mend(message: str) -> tuple[str, str]:
    """What has happened, and the command that helps; "" in a message that names none."""
    why, _, mend = message.partition(_AS_IT_IS_NOW)
    return why, mend
