"""Details of sources: labels, schema settings and live plugins."""

from datetime import datetime, timedelta

from sandbox.api.endpoints import Endpoint, Listing, Single
from sandbox.api.present import Arguments
from sandbox.api.timeline import Dated, Record, timestamp, visible
from sandbox.segment.connections import Connections
from sandbox.segment.workspace import Workspace

_ON_VIOLATIONS = ("ALLOW", "BLOCK")


class SourceDetails:
    """Schema settings of every source, and live plugins of every fourth; for the others, the response is 404 or null.

    A day after the clock starts, the first source's settings change and its live plugin gets a new version.
    """

    def __init__(self, workspace: Workspace, connections: Connections, users: list[Record]) -> None:
        self._chance = workspace.chance("source-details")
        self._connections = connections
        self._users = users
        moment = workspace.origin + timedelta(days=1)
        self._settings: dict[str, list[Dated]] = {}
        self._plugins: dict[str, list[Dated]] = {}
        for number, source in enumerate(connections.sources):
            identifier, until = source.record["id"], {} if number else {"until": moment}
            self._settings[identifier] = [Dated(self._settings_of(number), source.since, **until)]
            if number % 4 == 0:
                plugin = self._plugin(identifier, source.since)
                self._plugins[identifier] = [Dated(plugin, source.since, **until)]
                if number == 0:
                    changed = plugin | {"version": plugin["version"] + 1, "createdAt": timestamp(moment)}
                    self._plugins[identifier].append(Dated(changed, moment))
                    self._settings[identifier].append(Dated(self._settings_of(1), moment))
        self._numbers = {source.record["id"]: number for number, source in enumerate(connections.sources)}

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints of the tags Labels and Live Plugins, and the schema settings of the tag Sources."""
        return [
            Listing(
                path="/labels",
                stream="labels",
                primary_key=("key", "value"),
                key="labels",
                records=self._labels,
                paging=None,
            ),
            Single(
                path="/sources/{sourceId}/settings",
                stream="source_settings",
                primary_key=("sourceId",),
                data=lambda arguments, now: {
                    "sourceId": arguments["sourceId"],
                    "settings": visible(self._settings[arguments["sourceId"]], now)[0],
                },
                of=self._connections.each_source,
            ),
            Single(
                path="/sources/{sourceId}/live-plugins/latest",
                stream="source_live_plugins",
                primary_key=("sourceId", "id"),
                data=self._live_plugin,
                row=lambda data: data["livePlugin"],
                of=self._connections.each_source,
                adds={"sourceId": "sourceId"},
                gate="live-plugins",
            ),
        ]

    def _labels(self, _: Arguments, now: datetime) -> list[Record]:
        labels = {
            (label["key"], label["value"]): label
            for source in visible(self._connections.sources, now)
            for label in source["labels"]
        }
        return [labels[key] for key in sorted(labels)]

    def _live_plugin(self, arguments: Arguments, now: datetime) -> Record | None:
        plugins = visible(self._plugins.get(arguments["sourceId"], []), now)
        if plugins:
            return {"livePlugin": plugins[0]}
        return {"livePlugin": None} if self._numbers[arguments["sourceId"]] % 4 == 1 else None

    def _settings_of(self, number: int) -> Record:
        traits: Record = {
            "allowUnplannedTraits": True,
            "allowTraitsOnViolations": number % 3 == 0,
            "commonEventOnViolations": (*_ON_VIOLATIONS, "OMIT_TRAITS")[number % 3],
        }
        settings: Record = {
            "track": {
                "allowUnplannedEvents": True,
                "allowUnplannedEventProperties": number % 2 == 0,
                "allowEventOnViolations": number % 3 == 0,
                "allowPropertiesOnViolations": True,
                "commonEventOnViolations": (*_ON_VIOLATIONS, "OMIT_PROPERTIES")[number % 3],
            },
            "identify": traits,
            "group": traits,
        }
        if number % 3:
            blocked, violating = self._chance.sample(self._connections.sources, k=2) if number > 1 else (None, None)
            settings["forwardingBlockedEventsTo"] = blocked.record["id"] if blocked else ""
            settings["forwardingViolationsTo"] = violating.record["id"] if violating else ""
        return settings

    def _plugin(self, source_id: str, since: datetime) -> Record:
        version = self._chance.randrange(1, 9)
        plugin: Record = {
            "id": self._chance.identifier(),
            "sourceId": source_id,
            "createdAt": timestamp(since),
            "createdBy": self._chance.choice(self._users)["id"],
            "downloadURL": f"https://cdn.example.com/live-plugins/{source_id}/{version}.js",
            "version": version,
        }
        if self._chance.happens(0.6):
            plugin["code"] = self._chance.choice(("export default {}", None))
        return plugin
