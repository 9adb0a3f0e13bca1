"""The source of the manifest in this folder."""

from cdp_connectors.source import ManifestSource


class SmallSource(ManifestSource):
    """A source with three streams."""

    tries_streams = True
