"""Sources as objects of this process."""

import importlib

from airbyte_cdk.sources.declarative.concurrent_declarative_source import TestLimits

from cdp_connectors.json_types import JsonObject
from cdp_connectors.source import ManifestSource
from cdp_connectors.tools.connector import PACKAGES


def created(connector: str, config: JsonObject, limits: TestLimits) -> ManifestSource:
    """Create the source of a connector, which reads no more than the limits say."""
    module = importlib.import_module(f"{PACKAGES[connector]}.source")
    [source_class] = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, ManifestSource) and value.__module__ == module.__name__
    ]
    return source_class(config=config, limits=limits)
