"""The CDK's manifest: resolved and validated for every source that is built."""

import pickle
from functools import wraps

from airbyte_cdk.sources.declarative.yaml_declarative_source import YamlDeclarativeSource

from cdp_connectors.json_types import Json, JsonObject

_resolved: dict[str, bytes] = {}


def resolve_manifests_once() -> None:
    """Load, resolve and validate each manifest once per process; a second call changes nothing.

    The CDK does so for every source, which takes longer than a small sync. That matters where one process builds many
    sources: in the tests, and in the reliability campaign.
    """
    load = YamlDeclarativeSource._read_and_parse_yaml_file
    resolve, validate = YamlDeclarativeSource._pre_process_manifest, YamlDeclarativeSource._validate_source
    if hasattr(resolve, "__wrapped__"):
        return

    @wraps(load)
    def load_once(source: YamlDeclarativeSource, path: str) -> Json:
        return {} if path in _resolved else load(source, path)

    @wraps(resolve)
    def resolve_once(source: YamlDeclarativeSource, manifest: JsonObject) -> Json:
        path = source._path_to_yaml
        if path not in _resolved:
            source._source_config = resolve(source, manifest)
            validate(source)
            _resolved[path] = pickle.dumps(source._source_config)
        return pickle.loads(_resolved[path])  # noqa: S301 # written above

    YamlDeclarativeSource._read_and_parse_yaml_file = load_once  # type: ignore[method-assign, assignment] # of every source
    YamlDeclarativeSource._pre_process_manifest = resolve_once  # type: ignore[method-assign, assignment] # of every source
    YamlDeclarativeSource._validate_source = lambda _: None  # type: ignore[method-assign, assignment] # done above
