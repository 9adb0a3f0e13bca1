"""Sources as objects in this process."""

import importlib
import logging

from airbyte_cdk.sources.declarative.concurrent_declarative_source import TestLimits

from cdp_connectors.config_faults import config_fault
from cdp_connectors.failures import config_error
from cdp_connectors.json_types import JsonObject
from cdp_connectors.source import ManifestSource
from cdp_connectors.tools.connector import PACKAGES


def created(connector: str, config: JsonObject, limits: TestLimits) -> ManifestSource:
    """Create the source of a connector, which reads no more than the limits allow.

    Raises:
        AirbyteTracedException: a `config_error` that names the fields at fault.
    """
    module = importlib.import_module(f"{PACKAGES[connector]}.source")
    [source_class] = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, ManifestSource) and value.__module__ == module.__name__
    ]
    source: ManifestSource = source_class(config=config, limits=limits)
    form = source.spec(logging.getLogger("airbyte")).connectionSpecification
    if fault := config_fault(config, form):
        raise config_error(f"The configuration is not valid. {fault}")
    return source
