from collections.abc import Callable

import pytest

from destination_segment.spec import values
from destination_segment.spec.values import UnsendableError


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("2012-12-02T00:30:08.276Z", "2012-12-02T00:30:08.276Z"),
        ("2012-12-02T00:30:08.276123+02:00", "2012-12-01T22:30:08.276123Z"),
        ("2012-12-02 00:30:08", "2012-12-02T00:30:08.000Z"),
        ("2012-12-02 00:30:08 UTC", "2012-12-02T00:30:08.000Z"),
        ("2012-12-02 00:30:08+00", "2012-12-02T00:30:08.000Z"),
        ("2012-12-02", "2012-12-02T00:00:00.000Z"),
        ("20121202", "2012-12-02T00:00:00.000Z"),
        ("Sun, 02 Dec 2012 00:30:08 +0100", "2012-12-01T23:30:08.000Z"),
        (1354408208, "2012-12-02T00:30:08.000Z"),
        (1354408208.276, "2012-12-02T00:30:08.276Z"),
        (1354408208276, "2012-12-02T00:30:08.276Z"),
        (1354408208276123, "2012-12-02T00:30:08.276123Z"),
        (1354408208000000000, "2012-12-02T00:30:08.000Z"),
        ("1354408208", "2012-12-02T00:30:08.000Z"),
        ("1354408208276", "2012-12-02T00:30:08.276Z"),
        (-864000000, "1942-08-16T00:00:00.000Z"),
    ],
)
def test_points_in_time_are_written_as_iso_8601_in_utc(given: object, expected: str) -> None:
    assert values.timestamp(given) == expected


@pytest.mark.parametrize(
    "given",
    [
        "soon",
        "12:30",
        "2026",
        "P1D",
        "2026-02-30",
        "2026-01-01/2026-02-01",
        "20261399",
        True,
        None,
        {},
        [],
        1e30,
        -86400,
        -99_000_000_000,
        20261,
        0,
        float("1e21"),
        "Sun, 02",
        "²" * 9,
        "9" * 5_000,
        "0001-01-01T00:00:00+14:00",
    ],
)
def test_a_value_that_is_not_a_point_in_time_is_rejected(given: object) -> None:
    with pytest.raises(UnsendableError, match=r"^is not a date$"):
        values.timestamp(given)


@pytest.mark.parametrize(
    ("form", "given", "expected"),
    [
        ("%d.%m.%Y %H:%M", "02.12.2012 00:30", "2012-12-02T00:30:00.000Z"),
        ("%m/%d/%Y %z", "12/02/2012 -0100", "2012-12-02T01:00:00.000Z"),
        ("%Y%m%d", 20121202, "2012-12-02T00:00:00.000Z"),
    ],
)
def test_other_formats_are_parsed_by_their_pattern(form: str, given: object, expected: str) -> None:
    assert values.timestamp(given, values.moments_in(form)) == expected


def test_a_value_that_does_not_match_the_pattern_is_rejected() -> None:
    with pytest.raises(UnsendableError, match="is not a date"):
        values.timestamp("2012-12-02", values.moments_in("%d.%m.%Y"))


@pytest.mark.parametrize(
    ("convert", "given", "expected"),
    [
        (values.string, 5, "5"),
        (values.string, 5.0, "5"),
        (values.string, 5.5, "5.5"),
        (values.identifier, "  a ", "a"),
        (values.identifier, "", None),
        (values.identifier, 0, "0"),
        (values.number, "-1.5", -1.5),
        (values.number, "1" + "0" * 20, 1e20),
        (values.boolean, "TRUE", True),
        (values.boolean, 0, False),
        (values.currency_code, " eur ", "EUR"),
        (values.strings, ["a", 1], ["a", "1"]),
    ],
)
def test_values_are_converted_to_their_types(
    convert: Callable[[object], object], given: object, expected: object
) -> None:
    assert convert(given) == expected


@pytest.mark.parametrize(
    ("convert", "given"),
    [
        (values.string, True),
        (values.string, None),
        (values.number, "1,000"),
        (values.number, "9" * 5_000),
        (values.number, True),
        (values.boolean, "yes"),
        (values.currency_code, "EURO"),
        (values.currency_code, None),
        (values.mapping, []),
        (values.strings, "a"),
        (values.string_or_number, {}),
    ],
)
def test_values_of_other_types_are_rejected(convert: Callable[[object], object], given: object) -> None:
    with pytest.raises(UnsendableError):
        convert(given)
