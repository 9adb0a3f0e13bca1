"""Activities: an interrupted sync resumes at its saved position."""

from dataclasses import dataclass, field
from typing import Any

import pytest
import requests_mock

from source_customerio import SourceCustomerio
from unit_tests.helpers import JsonObject, read_streams, rows
from unit_tests.source_customerio.customerio_api import DAY, HOUR, NOW_TS, US

PAGE = 10
FIRST = 1_200  # activities
MINUTE = 60


@dataclass
class ActivityLog:
    """A growing list of activities, whose page tokens are positions or refer to the last row of the page before."""

    tokens: str = "position"
    every: int = HOUR
    """Seconds between two activities."""
    fails_after: tuple[int, int] | None = None
    """The number of requests after which every response is an error, and its status."""
    ids: list[int] = field(default_factory=lambda: list(range(FIRST, 0, -1)))
    requested: list[str] = field(default_factory=list)
    lost: JsonObject | None = None
    """The response to the token with which a sync resumes; None for the page itself."""

    def activity(self, number: int) -> JsonObject:
        return {"id": str(number), "timestamp": NOW_TS - (FIRST - number) * self.every}

    def answer(self, request: Any, context: Any) -> JsonObject:  # noqa: ANN401 # of requests_mock
        token = request.qs.get("start", [""])[0]
        self.requested.append(token)
        if self.lost is not None and len(self.requested) == 1:
            context.status_code = self.lost.get("status", 200)
            return self.lost
        if self.fails_after and len(self.requested) > self.fails_after[0]:
            context.status_code = self.fails_after[1]
            return {"errors": [{"detail": "no more", "status": str(context.status_code)}]}
        start = int(token.removeprefix("p")) if token.startswith("p") else 0
        if token.startswith("r"):
            start = next((at for at, number in enumerate(self.ids) if number < int(token[1:])), len(self.ids))
        found, end = self.ids[start : start + PAGE], start + PAGE
        following = (f"p{end}" if self.tokens == "position" else f"r{found[-1]}") if end < len(self.ids) else ""
        return {"activities": [self.activity(number) for number in found], "next": following}


@pytest.fixture
def log(api: requests_mock.Mocker) -> ActivityLog:
    served = ActivityLog()
    api.get(f"{US}/activities", json=served.answer)
    return served


def read(state: JsonObject | None = None) -> tuple[set[str], list[JsonObject]]:
    """Read the activities; returns the ids of the rows, and the states in order."""
    saved = {"activities": state} if state else None
    output = read_streams(SourceCustomerio, {"access_token": "key"}, ["activities"], saved)
    states = [dict(vars(message.state.stream.stream_state)) for message in output.state_messages]
    return {row["id"] for row in rows(output)}, states


def read_half(log: ActivityLog) -> tuple[set[str], JsonObject]:
    """Read until Customer.io fails; returns the ids of the rows and the last state."""
    log.fails_after = (80, 402)
    ids, states = read()
    log.fails_after = None
    log.requested.clear()
    return ids, states[-1]


def test_a_first_sync_saves_its_position_while_reading_and_drops_it_at_the_end(log: ActivityLog) -> None:
    ids, states = read()

    assert len(ids) == FIRST
    assert [state["unfinished"] for state in states if "unfinished" in state] == [
        {"since": 0, "page": f"p{place}", "moment": NOW_TS - place * HOUR, "newest": NOW_TS} for place in (490, 990)
    ]
    assert states[-1] == {"timestamp": str(NOW_TS)}
    assert log.requested[0] == ""


@pytest.mark.parametrize("tokens", ["position", "row"])
def test_an_interrupted_sync_resumes_there_and_then_reads_what_is_new(log: ActivityLog, tokens: str) -> None:
    log.tokens = tokens
    before, state = read_half(log)

    after, states = read(state)

    assert before | after == {str(number) for number in log.ids}
    assert len(log.requested) < FIRST / PAGE - 50 + 20
    assert states[-1] == {"timestamp": str(NOW_TS)}


@pytest.mark.parametrize("tokens", ["position", "row"])
@pytest.mark.parametrize(("more", "every"), [(3, HOUR), (75, HOUR), (150, MINUTE)])
def test_events_that_arrive_between_two_attempts_hide_no_others(
    log: ActivityLog, tokens: str, more: int, every: int
) -> None:
    log.tokens, log.every = tokens, every
    log.ids = [*range(FIRST - more, 0, -1)]
    before, state = read_half(log)
    log.ids = [*range(FIRST, 0, -1)]

    after, _ = read(state)

    assert before | after == {str(number) for number in log.ids}


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 400, "errors": [{"detail": "invalid start token", "status": "400"}]},
        {"activities": [], "next": ""},
        {"activities": None, "next": ""},
        {"activities": [{"id": "1", "timestamp": NOW_TS - 1_199 * HOUR}], "next": ""},
        {"activities": [{"id": "1", "timestamp": NOW_TS - 1_199 * HOUR}], "next": "p600"},
    ],
    ids=["rejected", "empty", "null", "the end", "elsewhere"],
)
def test_the_list_is_read_in_full_if_the_saved_token_leads_elsewhere(log: ActivityLog, answer: JsonObject) -> None:
    _, state = read_half(log)
    log.lost = answer

    after, states = read(state)

    assert after == {str(number) for number in log.ids}
    assert len(log.requested) <= FIRST / PAGE + 2
    assert states[-1] == {"timestamp": str(NOW_TS)}


def test_a_second_interruption_resumes_too(log: ActivityLog) -> None:
    before, state = read_half(log)
    log.fails_after = (60, 402)
    between, states = read(state)
    log.fails_after = None

    after, _ = read(states[-1])

    assert before | between | after == {str(number) for number in log.ids}


@pytest.mark.parametrize("fails_after", [(0, 402), (20, 400)], ids=["at once", "midway"])
def test_an_error_unrelated_to_the_token_keeps_the_position(log: ActivityLog, fails_after: tuple[int, int]) -> None:
    _, state = read_half(log)
    log.fails_after = fails_after

    _, states = read(state)

    assert states[-1] == state
    assert len(log.requested) == fails_after[0] + 1


def test_what_is_new_is_read_from_a_day_before_the_interruption(log: ActivityLog) -> None:
    log.ids = [*range(FIRST - 24, 0, -1)]
    before, state = read_half(log)
    log.ids = [*range(FIRST, 0, -1)]

    read(state)

    assert state["unfinished"]["newest"] == NOW_TS - DAY
    assert log.requested.count("") == 1
    assert len(log.requested) < FIRST / PAGE - 50 + 20
    assert before


@pytest.mark.parametrize("damaged", [None, [], "p490", {"page": "p490"}, {"since": 0, "page": "p", "moment": "x"}])
@pytest.mark.usefixtures("log")
def test_a_damaged_position_is_ignored(damaged: object) -> None:
    ids, states = read({"timestamp": "0", "unfinished": damaged})

    assert len(ids) == FIRST
    assert states[-1] == {"timestamp": str(NOW_TS)}
