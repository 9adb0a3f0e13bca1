"""The parts of Segment's two APIs that the destination uses."""

from collections.abc import Iterator, Mapping

import requests

from cdp_connectors.failures import config_error, transient_error
from cdp_connectors.json_types import Json, JsonObject
from destination_segment.calls.api_call import ApiCall
from destination_segment.configuration.config import Config
from destination_segment.delivery.batches import Batch
from destination_segment.delivery.pace import Pace
from destination_segment.delivery.retries import RetryableError, send

_JSON = {"Content-Type": "application/json", "Accept": "application/json"}
_PAGE_SIZE = 200


class SegmentClient:
    """One connection to Segment, for use by a single thread."""

    def __init__(self, config: Config, pace: Pace | None = None) -> None:
        """Prepare a connection; nothing is sent until a method is called."""
        self._tracking_url = config.tracking_url
        self._public_url = config.public_url
        self._is_compatible_collector = config.is_compatible_collector
        self._token = config.public_api_token
        self._pace = pace or Pace(None)
        self._session = requests.Session()
        self._session.headers.update(_JSON)
        self._write_key_auth = requests.auth.HTTPBasicAuth(config.write_key, "")

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def send_batch(self, batch: Batch[Json]) -> None:
        """Return once Segment has accepted the batch.

        Raises:
            AirbyteTracedException: Segment did not; see `retries.send`.
        """
        self._pace.wait_for(len(batch))
        response = send(
            self._session,
            "POST",
            f"{self._tracking_url}/batch",
            data=batch.compressed_body(),
            headers={"Content-Encoding": "gzip"},
            auth=self._write_key_auth,
        )
        self._require_acceptance(response)

    def send_api_call(self, call: ApiCall) -> None:
        """Return once Segment has carried out the request.

        Raises:
            AirbyteTracedException: Segment did not; see `retries.send`.
        """
        is_public = call.api == "public"
        if not is_public:
            self._pace.wait_for(1)
        response = send(
            self._session,
            call.method,
            (self._public_url if is_public else self._tracking_url) + call.path,
            headers={**call.headers, **(self._bearer if is_public else {})},
            data=call.body,
            auth=None if is_public else self._write_key_auth,
        )
        if not is_public:
            self._require_acceptance(response)

    def probe(self) -> None:
        """Return if a Tracking API responds, whatever the status.

        Raises:
            AirbyteTracedException: no Tracking API responds.
        """
        try:
            response = self._session.get(f"{self._tracking_url}/batch", timeout=10, allow_redirects=False)
        except requests.RequestException as error:
            raise RetryableError(
                f"Segment's Tracking API at {self._tracking_url} cannot be reached. Check the region, the Tracking "
                "API URL, and that outbound requests are not blocked."
            ) from error
        if response.ok and "text/html" in response.headers.get("Content-Type", ""):
            raise RetryableError(
                f"{self._tracking_url} returned an HTML page instead of a Tracking API response. Check the Tracking "
                "API URL, and whether a proxy or captive portal intercepts requests."
            )

    def sources(self) -> Iterator[JsonObject]:
        """The sources of the workspace that the Public API token belongs to.

        Raises:
            AirbyteTracedException: the Public API did not return them.
        """
        return self._listed("/sources", "sources")

    def tracking_plans(self) -> Iterator[tuple[Mapping[str, Json], list[Mapping[str, Json]]]]:
        """The tracking plans of the token's workspace, each with its rules.

        Raises:
            AirbyteTracedException: the Public API did not return them.
        """
        for plan in self._listed("/tracking-plans", "trackingPlans"):
            yield plan, list(self._listed(f"/tracking-plans/{plan['id']}/rules", "rules"))

    @property
    def _bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}

    def _listed(self, path: str, key: str) -> Iterator[JsonObject]:
        parameters = {"pagination.count": str(_PAGE_SIZE)}
        while True:
            response = send(self._session, "GET", self._public_url + path, params=parameters, headers=self._bearer)
            page = _data_of(response)
            yield from page.get(key) or []
            cursor = (page.get("pagination") or {}).get("next")
            if not cursor or cursor == parameters.get("pagination.cursor"):
                return
            parameters["pagination.cursor"] = cursor

    def _require_acceptance(self, response: requests.Response) -> None:
        if _says_success(response) or (self._is_compatible_collector and _is_bare_success(response)):
            return
        raise transient_error(
            f"Segment responded with HTTP {response.status_code} but did not confirm that the data was accepted. Run "
            "the sync again later; it resumes from the last state. If the error persists, check the Tracking API URL."
        )


def _says_success(response: requests.Response) -> bool:
    try:
        return response.json().get("success") is True
    except (requests.JSONDecodeError, AttributeError):
        return False


def _is_bare_success(response: requests.Response) -> bool:
    """True if the body is empty or `OK`, as in the responses of Segment-compatible collectors."""
    return response.text.strip().strip('"').lower() in {"", "ok"}


def _data_of(response: requests.Response) -> JsonObject:
    try:
        data = response.json()["data"]
    except (requests.JSONDecodeError, KeyError, TypeError):
        data = None
    if isinstance(data, dict):
        return data
    message = "The response is not a valid Public API response. Check the Public API URL."
    raise config_error(message)
