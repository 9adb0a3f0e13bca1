"""Airbyte source for Heap Connect, which exports Heap as dumps of Avro files to an S3 bucket."""

from source_heap.source import SourceHeap

__all__ = ["SourceHeap"]
