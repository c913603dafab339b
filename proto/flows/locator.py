"""Where things stand in a TOML text: tomllib gives values without lines, and error texts need lines."""

import re
from collections.abc import Mapping

KeyPath = tuple[str | int, ...]

_TOKEN = re.compile(
    r'(?P<skip>[ \t\r]+|\#[^\n]*)|(?P<newline>\n)'
    r'|(?P<text>"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\')'
    r"|(?P<mark>[\[\]{}=,.])|(?P<word>[^\s\[\]{}=,.\#\"']+)",
    re.DOTALL,
)  # fmt: skip
_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\"}


def locate(text: str) -> Mapping[KeyPath, int]:
    """Path of every table, key and array item -> its line, from 1. The text must be TOML that tomllib has accepted."""
    scanner = _Scanner(text)
    scanner.scan()
    return scanner.lines


class _Scanner:
    """Walks over the tokens once. `_at`: index of the next token; tokens are (kind, text, line)."""

    def __init__(self, text: str) -> None:
        self.lines: dict[KeyPath, int] = {}
        self._tokens: list[tuple[str, str, int]] = []
        self._at = 0
        line = 1
        for match in _TOKEN.finditer(text):
            if match.lastgroup != "skip":
                self._tokens.append((str(match.lastgroup), match[0], line))
            line += match[0].count("\n")

    def scan(self) -> None:
        table: KeyPath = ()
        while self._skip_newlines():
            if self._peek() == "[":
                table = self._header()
            else:
                self._pair(table)

    def _header(self) -> KeyPath:
        line = self._tokens[self._at][2]
        repeated = self._take() == "[" and self._peek() == "["
        if repeated:
            self._take()
        path: KeyPath = self._key()
        if repeated:
            path = (*path, sum(1 for known in self.lines if known[:-1] == path and isinstance(known[-1], int)))
        self._note(path, line)
        while self._peek() == "]":
            self._take()
        return path

    def _pair(self, table: KeyPath) -> None:
        line = self._tokens[self._at][2]
        path = (*table, *self._key())
        self._take()  # =
        self._note(path, line)
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        opening = self._take()
        if opening == "{":
            while self._skip_newlines() and self._peek() != "}":
                self._pair(path)
                self._skip_comma()
            self._take()
        elif opening == "[":
            number = 0
            while self._skip_newlines() and self._peek() != "]":
                self._note((*path, number), self._tokens[self._at][2])
                self._value((*path, number))
                self._skip_comma()
                number += 1
            self._take()
        else:  # a number may hold a dot, a date may hold a space
            while self._at < len(self._tokens) and (self._peek() == "." or self._tokens[self._at][0] == "word"):
                self._take()

    def _key(self) -> tuple[str, ...]:
        parts = [_unquoted(self._take())]
        while self._peek() == ".":
            self._take()
            parts.append(_unquoted(self._take()))
        return tuple(parts)

    def _note(self, path: KeyPath, line: int) -> None:
        for length in range(1, len(path) + 1):
            self.lines.setdefault(path[:length], line)

    def _peek(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1][1]

    def _skip_newlines(self) -> bool:
        while self._peek() == "\n":
            self._at += 1
        return self._at < len(self._tokens)

    def _skip_comma(self) -> None:
        self._skip_newlines()
        if self._peek() == ",":
            self._take()


def _unquoted(key: str) -> str:
    if key.startswith("'"):
        return key[1:-1]
    if key.startswith('"'):
        return re.sub(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", _unescaped, key[1:-1])
    return key


def _unescaped(match: re.Match[str]) -> str:
    escape = match[1]
    return chr(int(escape[1:], 16)) if escape[0] in "uU" else _ESCAPES.get(escape, escape)
