"""Segment's two APIs, as far as the destination uses them."""

from collections.abc import Iterator
from typing import Any

import orjson
import requests
from airbyte_cdk.models import FailureType
from airbyte_cdk.utils import AirbyteTracedException

from destination_segment.calls.api_call import ApiCall
from destination_segment.configuration.config import Config
from destination_segment.delivery.batches import Batch
from destination_segment.delivery.retries import RetryableError, send

_JSON = {"Content-Type": "application/json", "Accept": "application/json"}
_PAGE_SIZE = 200


class SegmentClient:
    """One connection to Segment. It is meant for a single thread."""

    def __init__(self, config: Config) -> None:
        self._tracking_url = config.tracking_url
        self._public_url = config.public_url
        self._token = config.public_api_token
        self._session = requests.Session()
        self._session.headers.update(_JSON)
        self._write_key_auth = requests.auth.HTTPBasicAuth(config.write_key, "")

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def send_batch(self, batch: Batch) -> None:
        """Return once Segment has accepted the batch.

        Raises:
            AirbyteTracedException: Segment did not; see `http.send`.
        """
        response = send(
            self._session,
            "POST",
            f"{self._tracking_url}/batch",
            data=batch.compressed_body(),
            headers={"Content-Encoding": "gzip"},
            auth=self._write_key_auth,
        )
        _require_acceptance(response)

    def send_request(self, request: ApiCall) -> None:
        """Return once Segment has carried the request out.

        Raises:
            AirbyteTracedException: Segment did not; see `http.send`.
        """
        public = request.api == "public"
        response = send(
            self._session,
            request.method,
            (self._public_url if public else self._tracking_url) + request.path,
            params=request.query,
            headers={**request.headers, **({"Authorization": f"Bearer {self._token}"} if public else {})},
            data=None if request.body is None else orjson.dumps(request.body),
            auth=None if public else self._write_key_auth,
        )
        if not public:
            _require_acceptance(response)

    def probe(self) -> None:
        """Return if a Tracking API answers, whatever it says to a request without data.

        Raises:
            AirbyteTracedException: none does.
        """
        try:
            answer = self._session.get(f"{self._tracking_url}/batch", timeout=10, allow_redirects=False)
        except requests.RequestException as error:
            raise RetryableError(
                f"Segment's Tracking API at {self._tracking_url} cannot be reached. Check the region, the Tracking "
                "API URL, and that the network lets requests through."
            ) from error
        if answer.ok and "text/html" in answer.headers.get("Content-Type", ""):
            raise RetryableError(f"A web page answers at {self._tracking_url}, not Segment's Tracking API.")

    def sources(self) -> Iterator[dict[str, Any]]:
        """The sources of the workspace that the Public API token belongs to.

        Raises:
            AirbyteTracedException: the Public API did not give them.
        """
        parameters = {"pagination.count": str(_PAGE_SIZE)}
        while True:
            response = send(
                self._session,
                "GET",
                f"{self._public_url}/sources",
                params=parameters,
                headers={"Authorization": f"Bearer {self._token}"},
            )
            page = _data_of(response)
            yield from page.get("sources", [])
            cursor = (page.get("pagination") or {}).get("next")
            if not cursor or cursor == parameters.get("pagination.cursor"):
                return
            parameters["pagination.cursor"] = cursor


def _data_of(response: requests.Response) -> dict[str, Any]:
    try:
        data = response.json()["data"]
    except (requests.JSONDecodeError, KeyError, TypeError):
        data = None
    if isinstance(data, dict):
        return data
    message = "The Public API's answer has not the form of its documents. Check the Public API URL."
    raise AirbyteTracedException(message=message, internal_message=message, failure_type=FailureType.config_error)


def _require_acceptance(response: requests.Response) -> None:
    try:
        accepted = response.json().get("success") is True
    except (requests.JSONDecodeError, AttributeError):
        accepted = False
    if not accepted:
        message = f"Segment answered HTTP {response.status_code} without saying that it accepted the data."
        raise AirbyteTracedException(message=message, internal_message=message, failure_type=FailureType.system_error)
