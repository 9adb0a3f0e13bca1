"""The demo's connectors and their example queries."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_SQL_BLOCK = re.compile(r"```sql\n(-- recipe: .*?)```", re.DOTALL)


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
    remarks: Sequence[str] = ()
    """Explanations of rows that may look odd."""

    @property
    def source(self) -> str:
        """The connector's name."""
        return f"source-{self.name}"

    @property
    def module(self) -> str:
        """The connector's package, which `python -m` runs like the console script."""
        return f"source_{self.name}"

    def recipes(self) -> list[str]:
        """The SQL recipes in the connector's README, run exactly as written."""
        return _SQL_BLOCK.findall((Path(self.module) / "README.md").read_text())


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
                "What did Segment not deliver in the last month, and why?",
                """
                SELECT discardReason AS reason, sum("count")::BIGINT AS events
                FROM segment.delivery_overview_filtered_at_destination GROUP BY ALL ORDER BY events DESC LIMIT 5
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
    DemoConnector(
        "customerio",
        [
            Query(
                "How well do the newsletters perform?",
                """
                SELECT n.name AS newsletter, count(*) AS deliveries,
                       round(100 * count(m.metrics ->> 'opened') / count(*), 1) AS opened_percent,
                       round(100 * count(m.metrics ->> 'clicked') / count(*), 1) AS clicked_percent
                FROM customerio.messages m JOIN customerio.newsletters n ON n.id = m.newsletter_id
                GROUP BY ALL ORDER BY deliveries DESC LIMIT 5
                """,
            ),
            Query(
                "How did the campaigns do, day by day?",
                """
                SELECT strftime(period_start, '%Y-%m-%d') AS day, sum(sent)::BIGINT AS sent,
                       sum(human_opened)::BIGINT AS opened, sum(human_clicked)::BIGINT AS clicked
                FROM customerio.campaign_metrics GROUP BY ALL ORDER BY day DESC LIMIT 7
                """,
            ),
            Query(
                "Why are addresses suppressed, by sending domain?",
                """
                SELECT suppression_type, coalesce(nullif(domain, ''), '(the account)') AS domain, count(*) AS addresses
                FROM customerio.eps_suppression GROUP BY ALL ORDER BY addresses DESC LIMIT 6
                """,
            ),
            Query(
                "How many people would be lost without cio_id?",
                """
                SELECT count(*) AS people, count(*) FILTER (coalesce(id, '') = '') AS without_id
                FROM customerio.customers
                """,
            ),
        ],
        [
            "The four streams that make one request per person need the setting people_detail, and are not read here.",
        ],
    ),
    DemoConnector(
        "heap",
        [
            Query(
                "Which dumps make up each table?",
                """
                SELECT "table", first_valid_dump_id, newest_dump_id FROM heap._heap_tables ORDER BY ALL LIMIT 8
                """,
            ),
            Query(
                "How many people are behind the pageviews, before and after identity resolution?",
                """
                SELECT count(*) AS pageviews, count(DISTINCT user_id) AS users_as_recorded,
                       count(DISTINCT resolved_user_id) AS users_resolved
                FROM heap.resolved_pageviews
                """,
            ),
        ],
        [
            "A table can first appear in a later dump; Airbyte discovers it the next day.",
            "A full resync of a table supersedes its earlier dumps; the first query shows the dumps that still count.",
        ],
    ),
]
