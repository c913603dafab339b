"""The Query service: questions, answered from threads beside the loop."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from ops.rpc.packages import grpc, query_pb2
from proto.errors import AdsIndexError, SettingsError, UnavailableError

Answer = Callable[[str, str, int], Iterable[Any]]
"""(address, as_of, limit) -> what is printed as JSON, one object a line; none: there is no such thing."""

_encode_json = msgspec.json.Encoder().encode


def methods(answers: Mapping[str, Answer]) -> dict[str, Callable[[Any, Any], Any]]:
    """Name of the method -> what answers it."""
    return {name: _method(answer) for name, answer in answers.items()}


def _method(answer: Answer) -> Callable[[Any, Any], Any]:
    def method(question: Any, context: Any) -> Any:
        try:
            lines = [_encode_json(one).decode() for one in answer(question.address, question.as_of, question.limit)]
        except SettingsError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        except UnavailableError as error:
            context.abort(grpc.StatusCode.UNAVAILABLE, str(error))
        except AdsIndexError as error:
            context.abort(grpc.StatusCode.INTERNAL, str(error))
        if not lines:
            context.abort(grpc.StatusCode.NOT_FOUND, f"nothing is there under {question.address!r}")
        return query_pb2.Answer(json="\n".join(lines))

    return method
