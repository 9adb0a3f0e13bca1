"""Lookup of the write key, since the Tracking API accepts any."""

from cdp_connectors.failures import config_error
from destination_segment.delivery.client import SegmentClient


def find_write_key(write_key: str, client: SegmentClient) -> str:
    """A message with the source that a write key belongs to.

    Raises:
        AirbyteTracedException: a `config_error` if the key belongs to no source or to a disabled one; or the error of
            listing the sources.
    """
    hidden = False
    for source in client.sources():
        keys = source.get("writeKeys") or []
        hidden = hidden or not keys
        if write_key in keys:
            if source.get("enabled") is False:
                raise config_error(
                    f"The write key belongs to the source '{source['slug']}', which is disabled: Segment would drop "
                    "what it receives. Enable the source in Segment."
                )
            return f"The write key belongs to the source '{source['slug']}'."
    if hidden:
        raise config_error(
            "The write key was not found, but this token may not be allowed to see every write key. Give the token the "
            "role Source Admin, or remove it."
        )
    raise config_error(
        "No source of the token's workspace has this write key. Check the write key, and that key, token and region "
        "belong to one workspace."
    )
