"""Records of child streams."""

from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import InitVar, dataclass
from typing import Any

import requests
from airbyte_cdk.sources.declarative.extractors.record_extractor import RecordExtractor
from airbyte_cdk.sources.declarative.retrievers.retriever import Retriever
from airbyte_cdk.sources.declarative.retrievers.simple_retriever import SimpleRetriever
from airbyte_cdk.sources.types import Config, StreamSlice

from cdp_connectors.failures import transient_error


@dataclass
class NumberedRows(Retriever):
    """The `rows` of a retriever, which have no id, with `index`: the position in the list over all pages, from 0.

    The expression language has no counter, and a transformation or filter does not know how many rows preceded its
    page.
    """

    config: Config
    rows: SimpleRetriever
    parameters: InitVar[Mapping[str, Any]] = None

    def read_records(
        self, records_schema: Mapping[str, Any], stream_slice: StreamSlice | None = None
    ) -> Iterable[Mapping[str, Any]]:
        """Yield the rows of all pages with their position."""
        rows = (row for row in self.rows.read_records(records_schema, stream_slice) if isinstance(row, Mapping))
        for index, row in enumerate(rows):
            yield {**row, "index": index}


@dataclass
class KeyedRows(NumberedRows):
    """`NumberedRows` of a collection with `row_key`: the value of the collection's own key, else the position.

    The slice's extra field `key_field` is the name of that key, if the collection has one.
    """

    def read_records(
        self, records_schema: Mapping[str, Any], stream_slice: StreamSlice | None = None
    ) -> Iterable[Mapping[str, Any]]:
        """Yield the rows of all pages with their position and key."""
        key_field = stream_slice.extra_fields.get("key_field") if stream_slice else None
        for row in super().read_records(records_schema, stream_slice):
            content = row["content"]
            key = content.get(key_field) if key_field and isinstance(content, Mapping) else None
            yield {**row, "row_key": str(row["index"] if key is None else key)}


@dataclass
class CollectionRows(RecordExtractor):
    """Each row of a collection, which can be any JSON, as the field `content`.

    `DpathExtractor` would flatten a row that is a list and drop one that is empty. It would also treat a response that
    is not JSON as an empty collection, because there is no envelope that could be missing.
    """

    def extract_records(self, response: requests.Response) -> Iterable[MutableMapping[Any, Any]]:
        """Yield one record per row; content that is not a list is one row, and null or `{}` is none.

        Raises:
            AirbyteTracedException: a `transient_error` if the response is not JSON.
        """
        try:
            content = response.json()
        except ValueError as error:
            raise transient_error(
                "Customer.io returned a collection's content as something other than JSON. Nothing was skipped; "
                "run the sync again, and report it to Customer.io if it persists.",
                f"{response.url}: {error}",
            ) from error
        rows = content if isinstance(content, list) else [content] if content else []
        for row in rows:
            yield {"content": row}
