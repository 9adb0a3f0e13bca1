"""The source."""

from typing import ClassVar

from cdp_connectors.source import ManifestSource


class SourceSegment(ManifestSource):
    """Segment, as `manifest.yaml` describes it."""

    tries_streams: ClassVar[bool] = True
