"""Client helpers for the simulated Customer.io App API."""

from collections.abc import Callable

import requests

Ask = Callable[..., requests.Response]
"""Requests a path of the US API with its key and query parameters; with `json` it posts."""


def rejected(response: requests.Response, status: int) -> str:
    """The detail of the error, which must have the documented envelope."""
    assert response.status_code == status
    [error] = response.json()["errors"]
    assert error["status"] == str(status)
    return str(error["detail"])
