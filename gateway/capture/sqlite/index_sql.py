"""What PRAGMA does not tell of an index: its expressions and its WHERE, cut out of the text of CREATE INDEX."""

import re
from typing import NamedTuple

_TOKEN = re.compile(
    r"""'(?:[^']|'')*' | "(?:[^"]|"")*" | `(?:[^`]|``)*` | \[[^\]]*\] | --[^\n]* | /\*.*?\*/ | \w+ | \s+ | .""",
    re.X | re.S,
)


class IndexText(NamedTuple):
    """terms: the text of each indexed expression, without COLLATE, ASC, DESC; condition: what follows WHERE, or ""."""

    terms: tuple[str, ...]
    condition: str


def index_text(sql: str) -> IndexText:
    """`CREATE UNIQUE INDEX i ON t(lower(a) DESC, b) WHERE c` -> (("lower(a)", "b"), "c")."""
    depth, terms, current, condition = 0, list[str](), list[str](), list[str]()
    seen_list = in_condition = False
    for token in _tokens(sql):
        if in_condition:
            condition.append(token)
        elif token == "(":
            depth += 1
            if depth > 1:
                current.append(token)
        elif token == ")":
            depth -= 1
            if depth == 0:
                seen_list = True
            else:
                current.append(token)
        elif token == "," and depth == 1:
            terms.append("".join(current))
            current = []
        elif depth:
            current.append(token)
        elif seen_list and token.upper() == "WHERE":
            in_condition = True
    terms.append("".join(current))
    return IndexText(tuple(_plain(term) for term in terms), "".join(condition).strip())


def words(sql: str) -> set[str]:
    """Every name that occurs in an expression, in lower case, without quotes; more than its columns, never fewer."""
    return {token.strip('"`[]').replace('""', '"').lower() for token in _tokens(sql) if token[0] not in "'("}


def _tokens(sql: str) -> list[str]:
    return [token for token in _TOKEN.findall(sql) if not token.startswith(("--", "/*"))]


def _plain(term: str) -> str:
    """Without a trailing `COLLATE name` and `ASC` or `DESC`."""
    without_order = re.sub(r"\s+(?:ASC|DESC)\s*$", "", term.strip(), flags=re.I)
    return re.sub(r"\s+COLLATE\s+(?:\w+|\"[^\"]*\")\s*$", "", without_order, flags=re.I).strip()
