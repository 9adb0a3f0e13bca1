"""What the demo shows of each connector."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Query:
    """A question that the synced data answers."""

    question: str
    sql: str


@dataclass(frozen=True)
class DemoConnector:
    """A connector that the demo can run."""

    name: str
    """As in its console script, without `source-`."""
    queries: Sequence[Query]

    @property
    def source(self) -> str:
        """The connector's name."""
        return f"source-{self.name}"

    @property
    def module(self) -> str:
        """The package whose `python -m` is the console script."""
        return f"source_{self.name}"


CONNECTORS = [
    DemoConnector(
        "segment",
        [
            Query(
                "Which sources cost the most API calls this month?",
                """
                SELECT coalesce(nullif(s.name, ''), s.slug) AS source, s.metadata ->> 'name' AS type,
                       max(u.apiCalls::BIGINT) AS api_calls
                FROM segment.usage_api_calls_per_source_daily u JOIN segment.sources s ON s.id = u.sourceId
                WHERE u.period = (SELECT max(period) FROM segment.usage_api_calls_per_source_daily)
                GROUP BY ALL ORDER BY api_calls DESC LIMIT 5
                """,
            ),
            Query(
                "How many events did each destination discard in the last two weeks?",
                """
                SELECT coalesce(nullif(d.name, ''), d.metadata ->> 'name') AS destination,
                       sum((metric ->> 'total')::BIGINT) AS discarded
                FROM segment.destination_delivery_metrics_summary m,
                     unnest(from_json(m.metrics, '["JSON"]')) AS t(metric), segment.destinations d
                WHERE d.id = m.destinationId AND metric ->> 'metricName' = 'discarded'
                GROUP BY ALL ORDER BY discarded DESC LIMIT 5
                """,
            ),
            Query(
                "Who changed what, most recently?",
                """
                SELECT strftime(timestamp, '%Y-%m-%d %H:%M') AS time, type, actorEmail AS actor,
                       resourceName AS resource
                FROM segment.audit_events e ORDER BY e.timestamp DESC LIMIT 5
                """,
            ),
        ],
    ),
]
