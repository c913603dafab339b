"""A dead letter as the command line prints it, for a test that tries again what it tells of."""

from base64 import b64decode
from collections.abc import Mapping
from typing import Any

import msgspec

from argus.fixture import Fixture
from proto.errors import InvalidMessageError
from proto.events import TableRows, decode_unit


class Letter(msgspec.Struct):
    """fixture: rows around it, for the stages "build" and "handle"; message: base64, for "apply" the raw rows."""

    stage: str
    subject: str
    message: str = ""
    fixture: Fixture | None = None

    def rows_around(self) -> Fixture:
        """Raises InvalidMessageError when it was printed without."""
        if self.fixture is None:
            raise InvalidMessageError(
                f"the letter of {self.subject!r} holds no rows; `adsindex dead-letters show SUBJECT --json` prints it "
                f"with them"
            )
        return self.fixture

    def raw_rows(self) -> list[TableRows]:
        """As the database gave them."""
        if self.stage != "apply" or not self.message:
            raise InvalidMessageError(f"a letter of stage {self.stage!r} can't be tried again in a test")
        return decode_unit(b64decode(self.message)).tables


def letter_of(text: str | bytes | Mapping[str, Any]) -> Letter:
    """Raises InvalidMessageError for anything else."""
    try:
        return msgspec.convert(text, Letter) if isinstance(text, Mapping) else msgspec.json.decode(text, type=Letter)
    except msgspec.MsgspecError as error:
        raise InvalidMessageError(
            f"this is not a dead letter: {error}; paste what `adsindex dead-letters show SUBJECT --json` prints"
        ) from None
