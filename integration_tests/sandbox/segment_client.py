"""Client helpers for the simulated Segment Public API."""

from collections.abc import Callable, Iterator
from typing import Any

import requests

Get = Callable[..., requests.Response]
"""Gets a path of the US API with its token and the given query parameters."""


def pages(
    get: Get, path: str, *, cursor: str = "pagination[cursor]", **parameters: str | int
) -> Iterator[dict[str, Any]]:
    """The `data` of every page; `cursor` is the name of the cursor parameter."""
    while True:
        response = get(path, **parameters)
        assert response.status_code == 200, response.text
        yield response.json()["data"]
        following = response.json()["data"]["pagination"].get("next")
        if not following:
            return
        parameters[cursor] = following


def error(response: requests.Response) -> dict[str, Any]:
    """The only error of an error response."""
    body = response.json()
    assert body.keys() == {"errors"}
    assert len(body["errors"]) == 1
    return dict(body["errors"][0])
