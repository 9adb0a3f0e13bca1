"""Templates: null is never inserted into a string, and a single expression keeps its type."""

import pytest

from cdp_connectors.json_types import Json
from destination_segment.configuration.templates import is_constant, named_fields, require_template, value_renderer
from destination_segment.spec.values import UnsendableError

RECORD: Json = {"null": None, "name": "Ada", "n": 5, "list": [None, 1], "inner": {"null": None}, "items": "field"}


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("{{ record.null }}", None),
        ("{{ record['null'] }}", None),
        ("{{- record.inner.null -}}", None),
        ("{{ record.list[0] }}", None),
        ("{{ record.n }}", 5),
        ("{{ record.list }}", [None, 1]),
        ("{{ record.items }}", "field"),
        ("{{ record.n + 1 }}", 6),
        ("{{ record.null or 'none' }}", "none"),
        ("{{ record.null | default('none') }}", "none"),
        ("{{ record.null is none }}", True),
        ("{{ record.null == none }}", True),
        ("{{ 'yes' if record.null else 'no' }}", "no"),
        ("{% if record.null %}yes{% else %}no{% endif %}", "no"),
        ("{{ record.null | tojson }}", "null"),
        ("{{ {'pro': 2, none: 0}[record.null] }}", 0),
        ("{{ {'pro': 2}.get(record.null, 1) }}", 1),
        ("Hello {{ record.name }} {{ record.n }}", "Hello Ada 5"),
        ("constant", "constant"),
        ("{{ 'single' }}", "single"),
    ],
)
def test_a_template_returns(template: str, value: Json) -> None:
    assert value_renderer(template)(RECORD) == value


@pytest.mark.parametrize(
    "template",
    [
        "u{{ record.null }}",
        "{{ record.null }} {{ record.name }}",
        "{{ 'u' ~ record.null }}",
        "{{ record.null | string }}",
        "{{ record.null | upper }}",
        "{{ '%s' | format(record.null) }}",
        "{{ record.null + 'x' }}",
        "x{{ record.list[0] }}",
        "{% for item in record.list %}{{ item }}{% endfor %}",
    ],
)
def test_a_null_is_never_inserted_into_a_string(template: str) -> None:
    with pytest.raises(UnsendableError, match="null"):
        value_renderer(template)(RECORD)


@pytest.mark.parametrize("template", ["{{ record.absent }}", "a{{ record.absent }}", "{{ record.n / 0 }}"])
def test_a_template_that_cannot_be_rendered_is_an_error(template: str) -> None:
    with pytest.raises(UnsendableError, match=r"a template (could not be rendered|refers to a field)"):
        value_renderer(template)(RECORD)


def test_a_template_cannot_reach_python() -> None:
    with pytest.raises(UnsendableError):
        value_renderer("{{ record.__class__.__mro__[1].__subclasses__() }}")(RECORD)


@pytest.mark.parametrize("template", ["{{ record.a", "{% if %}", "{{ record.a | no_such_filter }}", "{{ 1 + }}"])
def test_an_invalid_template_is_rejected(template: str) -> None:
    with pytest.raises(ValueError, match="is not a valid template"):
        require_template(template)


@pytest.mark.parametrize(
    ("template", "fields"),
    [
        ("{{ record.a }} {{ record['b'] | upper }} {% if record.c %}{% endif %}", {"a", "b", "c"}),
        ("{{ record.a.inner }} {{ record.b[0] }} {{ record['c']['inner'] }}", {"a", "b", "c"}),
        ("{{ record['a' ~ record.b] }}", {"b"}),
        ("{{ 'constant'.upper() }}", set()),
    ],
)
def test_the_fields_of_a_template_are_found(template: str, fields: set[str]) -> None:
    assert set(named_fields(template)) == fields


@pytest.mark.parametrize(("template", "constant"), [("/group", True), ("/{{ record.id }}", False), ("", True)])
def test_a_constant_is_recognized(template: str, *, constant: bool) -> None:
    assert is_constant(template) is constant
