"""What an operator does with dead letters: offers the message again, or throws it away."""

from proto.errors import InvalidMessageError
from proto.ports.dead_letters import DeadLetters
from proto.ports.log import Log


def replay(log: Log, dead_letters: DeadLetters, stage: str, subject: str) -> bool:
    """Appends the message to its topic again and clears the entry, in one commit; False when there is no such entry.

    Raises InvalidMessageError for an entry without a message: its source must be read again.
    """
    entry = dead_letters.get(stage, subject)
    if entry is None:
        return False
    if not entry.message or not entry.topic:
        raise InvalidMessageError(
            f"the dead letter {stage} {subject} holds no message; mend the row in its source, and it is read again"
        )
    with log.group():
        log.append(entry.topic, entry.partition, [entry.message])
        dead_letters.clear(stage, subject)
    return True


def discard(dead_letters: DeadLetters, stage: str, subject: str) -> bool:
    """Forgets the entry; False when there is none."""
    return dead_letters.clear(stage, subject)
