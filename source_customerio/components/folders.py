"""Lists that may contain only what is at the root, or what is in all folders."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from airbyte_cdk.sources.declarative.retrievers.retriever import Retriever
from airbyte_cdk.sources.declarative.retrievers.simple_retriever import SimpleRetriever
from airbyte_cdk.sources.types import Config, StreamSlice

from cdp_connectors.rejections import ParentAbsentError


@dataclass
class FolderByFolder(Retriever):
    """The `rows` of the entire tree: the list itself, then each folder of `folders`; each row once by its `id`.

    It is unclear whether a list without `parent_folder_id` contains everything, as Customer.io's documentation says, or
    only the root, as others have observed. Both are read, at the cost of one request per folder.

    `rows` and `folders` find the folder in `stream_slice.extra_fields['folder']`; it is empty for the list itself. No
    declared router follows a tree whose depth is unknown.
    """

    rows: SimpleRetriever
    folders: SimpleRetriever
    config: Config

    def read_records(
        self, records_schema: Mapping[str, Any], stream_slice: StreamSlice | None = None
    ) -> Iterable[Mapping[str, Any]]:
        """Yield the rows."""
        seen: set[Any] = set()
        for folder in self._tree(records_schema, stream_slice or StreamSlice(partition={}, cursor_slice={})):
            for row in _of(self.rows, records_schema, folder):
                if row["id"] not in seen:
                    seen.add(row["id"])
                    yield row

    def _tree(self, records_schema: Mapping[str, Any], stream_slice: StreamSlice) -> Iterator[StreamSlice]:
        """The root, and each folder once."""
        waiting, found = deque([""]), {""}
        while waiting:
            folder = StreamSlice(
                partition=stream_slice.partition,
                cursor_slice=stream_slice.cursor_slice,
                extra_fields={**stream_slice.extra_fields, "folder": waiting.popleft()},
            )
            yield folder
            below = [str(each["id"]) for each in _of(self.folders, records_schema, folder)]
            waiting.extend(each for each in below if each not in found)
            found.update(below)


def _of(
    retriever: SimpleRetriever, records_schema: Mapping[str, Any], folder: StreamSlice
) -> Iterator[Mapping[str, Any]]:
    """The rows of a folder; a folder that was deleted during the sync has none.

    Raises:
        AirbyteTracedException: if the list itself is rejected.
    """
    try:
        yield from ({**row} for row in retriever.read_records(records_schema, folder) if isinstance(row, Mapping))
    except ParentAbsentError as error:
        if not folder.extra_fields["folder"]:
            raise error.verdict or error from error
