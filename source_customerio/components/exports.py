"""Exports of people: the status of the job, and the rows of its file."""

from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import requests
from airbyte_cdk.sources.declarative.extractors.dpath_extractor import DpathExtractor

from cdp_connectors.failures import config_error
from cdp_connectors.records import RecordChange
from source_customerio.components.metrics import answered_at
from source_customerio.components.people import bare

_LONGEST = timedelta(hours=6)
_REMEDY = "Run the sync again; if it fails again, disable Customers Export."


@dataclass
class ExportStatus(DpathExtractor):
    """The status of an export, or the failure of a job that failed or takes longer than six hours.

    `AsyncRetriever` retries such jobs, each of which stays in the account, and then reports that a job failed, without
    the reason. Only a `config_error` ends it at once.
    """

    def extract_records(self, response: requests.Response) -> Iterable[MutableMapping[Any, Any]]:
        """Yield the status.

        Raises:
            AirbyteTracedException: a `config_error` for a job that failed or takes too long.
        """
        export = response.json()["export"]
        if export.get("failed") or export.get("status") == "failed":
            raise config_error(f"Customer.io could not complete export {export['id']} of people. {_REMEDY}")
        created = datetime.fromtimestamp(export.get("created_at") or answered_at(response).timestamp(), timezone.utc)
        if export.get("status") != "done" and answered_at(response) - created > _LONGEST:
            hours = round(_LONGEST.total_seconds() / 3600)
            raise config_error(f"Export {export['id']} of people was not done after {hours} hours. {_REMEDY}")
        yield from super().extract_records(response)


@dataclass
class ExportedPerson(RecordChange):
    """Convert a row of the file, with one column per attribute, to a record as the attributes endpoint returns it.

    An empty cell is an attribute that the person does not have. The columns are not known in advance, so no list of
    declared fields can do this.
    """

    def change(self, record: dict[str, Any]) -> None:
        """Change the record in place.

        Raises:
            AirbyteTracedException: a `config_error` for a file without the column `cio_id`.
        """
        attributes = {name: value for name, value in record.items() if value not in ("", None)}
        if "cio_id" not in attributes:
            raise config_error(
                "The export of people has no column cio_id, which is the key of its rows. Disable Customers Export."
            )
        unsubscribed = str(attributes.pop("unsubscribed", "")).lower() in ("true", "1")
        attributes["cio_id"] = bare(attributes["cio_id"])
        identifiers = {name: attributes.get(name) for name in ("cio_id", "email", "id")}
        record.clear()
        record.update(
            id=identifiers["id"] or "",
            cio_id=identifiers["cio_id"],
            identifiers=identifiers,
            attributes=attributes,
            unsubscribed=unsubscribed,
        )
