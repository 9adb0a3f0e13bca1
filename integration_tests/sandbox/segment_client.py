"""How a client of the simulated Segment Public API reads its answers."""

from collections.abc import Callable, Iterator
from typing import Any

import requests

Get = Callable[..., requests.Response]
"""Gets a path of the US API with its token, and query parameters."""


def pages(
    get: Get, path: str, *, cursor: str = "pagination[cursor]", **parameters: str | int
) -> Iterator[dict[str, Any]]:
    """The `data` of every page; `cursor` is the name of the parameter for the next one."""
    while True:
        response = get(path, **parameters)
        assert response.status_code == 200, response.text
        yield response.json()["data"]
        following = response.json()["data"]["pagination"].get("next")
        if not following:
            return
        parameters[cursor] = following


def error(response: requests.Response) -> dict[str, Any]:
    """The one error of an answer that rejects."""
    body = response.json()
    assert body.keys() == {"errors"}
    assert len(body["errors"]) == 1
    return dict(body["errors"][0])
