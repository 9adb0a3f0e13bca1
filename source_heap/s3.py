"""S3 requests without Airbyte: signed and retried, with S3's errors as messages for the user."""

import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from urllib.parse import quote, urlencode
from xml.etree import ElementTree as ET

import requests

from cdp_connectors.json_types import Json
from source_heap.aws import GLOBAL_ENDPOINT, AwsAccess
from source_heap.bucket import SIMULTANEOUS_REQUESTS, Bucket
from source_heap.errors import ConfigError, HeapError, TransientError
from source_heap.manifests import MANIFEST_PREFIX, folder_of
from source_heap.positions import Manifest
from source_heap.s3_errors import S3Failure

ATTEMPTS = 6
FIRST_WAIT_SECONDS = 0.5
_TIMEOUT_SECONDS = (15, 60)


class S3:
    """The bucket of one configuration. Thread-safe, but not picklable, because it holds credentials."""

    def __init__(self, config: Mapping[str, Json]) -> None:
        """Make no request yet; `config` is a configuration of the connector, as `settings.checked` returns it."""
        self._name = config["bucket"]
        self._folder = folder_of(config.get("path_prefix"))
        self._aws = AwsAccess(config)
        self._url = f"{(config.get('endpoint_url') or GLOBAL_ENDPOINT).rstrip('/')}/{self._name}"
        self._session = requests.Session()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, requests.adapters.HTTPAdapter(pool_maxsize=2 * SIMULTANEOUS_REQUESTS))

    def __reduce__(self) -> str:
        raise TypeError("a bucket with credentials cannot be pickled")

    def bucket(self, manifests: Sequence[Manifest] | None = None) -> Bucket:
        """A new `Bucket`, which lists its manifests on first use unless those of an earlier listing are provided.

        Each listing, manifest and header is fetched once.
        """
        listed = partial(self.objects, self._folder + MANIFEST_PREFIX)
        return Bucket(self._name, listed, self.get, self._folder, manifests)

    def get(self, key: str, headers: Mapping[str, str]) -> requests.Response:
        """An object, or a range of it, as a response whose body has not been read.

        Raises:
            HeapError: the object cannot be read.
        """
        return self._send(f"{self._url}/{quote(key, safe='/~')}", {"Accept-Encoding": "identity", **headers})

    def objects(self, prefix: str) -> Iterator[Mapping[str, str]]:
        """The objects under a prefix as S3 lists them, with `Key`, `LastModified` and `Size` among their fields.

        Raises:
            HeapError: the bucket cannot be listed.
        """
        query = {"list-type": "2", "prefix": prefix}
        while True:
            with self._send(f"{self._url}?{urlencode(query)}", {}, is_whole=True) as response:
                page = ET.fromstring(response.content)  # noqa: S314 # from the store, which the user trusts
            namespace = page.tag.rpartition("}")[0] + "}" if page.tag.startswith("{") else ""
            for item in page.iter(f"{namespace}Contents"):
                yield {field.tag.removeprefix(namespace): field.text or "" for field in item}
            token = page.findtext(f"{namespace}NextContinuationToken")
            if not token or token == query.get("continuation-token"):
                return
            query["continuation-token"] = token

    def _send(self, url: str, headers: Mapping[str, str], *, is_whole: bool = False) -> requests.Response:
        """Send a request, with retries. If `is_whole`, also read the body, so that a truncated one is retried."""
        failure: HeapError | None = None
        for attempt in range(ATTEMPTS):
            if failure:
                time.sleep(FIRST_WAIT_SECONDS * 2 ** (attempt - 1))
            request = self._session.prepare_request(requests.Request("GET", url, headers=dict(headers)))
            self._aws.sign(request)
            try:
                response = self._session.send(request, stream=not is_whole, timeout=_TIMEOUT_SECONDS)
                error = S3Failure.of(response, self._name)
            except requests.RequestException as cause:
                failure = TransientError(f"S3 did not respond ({type(cause).__name__}). Check the network and retry.")
                continue
            if error is None:
                return response
            failure = TransientError(error.message) if error.is_transient else ConfigError(error.message)
            if not error.is_retried:
                break
        raise failure or AssertionError
