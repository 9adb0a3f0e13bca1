"""The source."""

from cdp_connectors.source import ManifestSource


class SourceSegment(ManifestSource):
    """Segment, as `manifest.yaml` describes it."""
