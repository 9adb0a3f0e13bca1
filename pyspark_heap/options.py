"""The options of the data source."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from cdp_connectors.json_types import JsonObject
from source_heap.errors import ConfigError
from source_heap.settings import checked

_CONFIG = {
    "bucket": "bucket",
    "awsregion": "aws_region",
    "endpointurl": "endpoint_url",
    "pathprefix": "path_prefix",
    "startdate": "start_date",
}
_CREDENTIALS = {
    "authtype": "auth_type",
    "awsaccountid": "aws_account_id",
    "rolename": "role_name",
    "rolearn": "role_arn",
    "intermediaterolearn": "intermediate_role_arn",
    "externalid": "external_id",
    "awsaccesskeyid": "aws_access_key_id",
    "awssecretaccesskey": "aws_secret_access_key",
    "awssessiontoken": "aws_session_token",
}
_READING = {
    "table": "table",
    "columns": "columns",
    "newcolumns": "newColumns",
    "maxpartitionbytes": "maxPartitionBytes",
    "opencostinbytes": "openCostInBytes",
    "minpartitions": "minPartitions",
    "maxfilespertrigger": "maxFilesPerTrigger",
    "maxbytespertrigger": "maxBytesPerTrigger",
}
_SIZE = re.compile(r"(\d+)([kmg]?)b?", re.IGNORECASE)
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


@dataclass(frozen=True)
class Options:
    """The validated options of one DataFrame or stream. `config` is a configuration of source-heap."""

    config: JsonObject = field(repr=False)
    table: str
    columns: tuple[str, ...] | None
    rejects_new_columns: bool
    max_partition_bytes: int
    open_cost_in_bytes: int
    min_partitions: int
    max_files_per_trigger: int | None
    max_bytes_per_trigger: int | None

    @classmethod
    def parse(cls, options: Mapping[str, str]) -> "Options":
        """Parse the options as Spark passes them; names are not case-sensitive.

        Raises:
            ConfigError: an option is unknown, missing, or has an invalid value.
        """
        given = {name.lower(): value for name, value in options.items()}
        if unknown := sorted(given.keys() - _CONFIG.keys() - _CREDENTIALS.keys() - _READING.keys()):
            raise ConfigError(f"The data source 'heap' has no option {', '.join(map(repr, unknown))}.")
        if not given.get("table"):
            raise ConfigError("The data source 'heap' needs the option 'table'; '_heap_tables' lists the tables.")
        new_columns = given.get("newcolumns", "fail").lower()
        if new_columns not in {"fail", "ignore"}:
            raise ConfigError(f"The option newColumns must be 'fail' or 'ignore', not '{new_columns}'.")
        columns = [name.strip() for name in given.get("columns", "").split(",") if name.strip()]
        return cls(
            config=_config(given),
            table=given["table"],
            columns=tuple(columns) or None,
            rejects_new_columns=new_columns == "fail" and not columns,
            max_partition_bytes=_size(given, "maxpartitionbytes", 128 << 20),
            open_cost_in_bytes=_size(given, "opencostinbytes", 4 << 20),
            min_partitions=_size(given, "minpartitions", 1),
            max_files_per_trigger=_size(given, "maxfilespertrigger", 0) or None,
            max_bytes_per_trigger=_size(given, "maxbytespertrigger", 0) or None,
        )


def _config(given: Mapping[str, str]) -> JsonObject:
    config: JsonObject = {name: given[option] for option, name in _CONFIG.items() if option in given}
    credentials = {name: given[option] for option, name in _CREDENTIALS.items() if option in given}
    if "auth_type" not in credentials:
        is_role, is_key = bool({"role_name", "role_arn"} & credentials.keys()), "aws_access_key_id" in credentials
        credentials["auth_type"] = "role" if is_role else "access_key" if is_key else "default"
    return checked({**config, "credentials": credentials})


def _size(given: Mapping[str, str], option: str, default: int) -> int:
    if option not in given:
        return default
    size = _SIZE.fullmatch(given[option].strip())
    if not size or not int(size[1]):
        raise ConfigError(f"The option {_READING[option]} must be a positive number, not '{given[option]}'.")
    return int(size[1]) * _UNITS[size[2].lower()]
