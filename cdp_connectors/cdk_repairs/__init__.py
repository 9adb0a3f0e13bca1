"""All uses of private or fragile parts of airbyte-cdk, each with its reason.

Nothing else in this distribution uses a private name of the CDK or relies on the wording of its messages. Each repair
has a test that fails once the CDK no longer needs it, or says why there is none: `make test-newest-cdk` runs the tests
against the newest CDK.
"""

from cdp_connectors.cdk_repairs.destination import RepairedDestination
from cdp_connectors.cdk_repairs.http import RejectedRequestError, is_web_page
from cdp_connectors.cdk_repairs.manifests import resolve_manifests_once
from cdp_connectors.cdk_repairs.output import (
    buffer_output,
    check_reason,
    correct_record_count,
    exclusive_output,
    exhausted_reason,
    is_noise,
    print_messages,
    uncounted_records,
)
from cdp_connectors.cdk_repairs.partitions import (
    WrappedPartition,
    leave_unreported,
    watch_parents,
    watch_stream,
    wrap_partitions,
)
from cdp_connectors.cdk_repairs.source import RepairedSource
from cdp_connectors.cdk_repairs.states import extra_state
from cdp_connectors.cdk_repairs.templates import StringCursorPaginationStrategy

__all__ = [
    "RejectedRequestError",
    "RepairedDestination",
    "RepairedSource",
    "StringCursorPaginationStrategy",
    "WrappedPartition",
    "buffer_output",
    "check_reason",
    "correct_record_count",
    "exclusive_output",
    "exhausted_reason",
    "extra_state",
    "is_noise",
    "is_web_page",
    "leave_unreported",
    "print_messages",
    "resolve_manifests_once",
    "uncounted_records",
    "watch_parents",
    "watch_stream",
    "wrap_partitions",
]
