"""The requests with which the bucket is read."""

from collections.abc import Iterable, Mapping
from dataclasses import InitVar, dataclass
from typing import Any
from urllib.parse import quote

import requests
from airbyte_cdk.sources.declarative.requesters.http_requester import HttpRequester
from airbyte_cdk.sources.declarative.retrievers.retriever import Retriever
from airbyte_cdk.sources.declarative.retrievers.simple_retriever import SimpleRetriever
from airbyte_cdk.sources.types import StreamSlice

from source_heap.bucket import Bucket
from source_heap.manifests import folder_of
from source_heap.run_config import RunConfig


@dataclass
class BucketAccess(Retriever):
    """Provides the run's `Bucket`, from the two requests that the manifest describes: a listing, and an object.

    This is a retriever only because the CDK has no kind of component for a service that other components use. The
    tables' streams get the bucket from the run: building these requests for each of several hundred streams would take
    longer than discovering their tables.
    """

    config: Mapping[str, Any]
    listing: SimpleRetriever
    objects: HttpRequester
    parameters: InitVar[Mapping[str, Any]] = None

    def __post_init__(self, parameters: Mapping[str, Any]) -> None:
        """Stream objects, which the CDK would load into memory, and make the bucket available to other components."""
        self.objects.stream_response = True
        run = RunConfig.of(self.config)
        run.bucket = run.bucket or Bucket(
            self.config["bucket"], self.read_records, self._get_object, folder_of(self.config.get("path_prefix"))
        )

    def read_records(
        self,
        records_schema: Mapping[str, Any] | None = None,
        stream_slice: StreamSlice | None = None,
    ) -> Iterable[Mapping[str, Any]]:
        """The objects under `manifests/`, as S3 lists them."""
        empty = StreamSlice(partition={}, cursor_slice={})
        for item in self.listing.read_records(records_schema or {}, stream_slice or empty):
            if isinstance(item, Mapping):
                yield item

    def _get_object(self, key: str, headers: Mapping[str, str]) -> requests.Response:
        as_stored = {"Accept-Encoding": "identity", **headers}
        response = self.objects.send_request(path=quote(key, safe="/~"), request_headers=as_stored)
        if response is None:
            raise RuntimeError(f"the request for {key} was abandoned without an error")
        return response
