"""The JSON schema of the configuration, as Airbyte's form reads it."""

import jsonref
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from cdp_connectors.json_types import JsonObject
from destination_segment.configuration.config import Config


def config_schema() -> JsonObject:
    """The schema, without the references and nulls that the form cannot show.

    It allows unknown names, since a stored configuration may be older or newer; `parse_config` rejects those in
    mappings.
    """
    schema = Config.model_json_schema(schema_generator=_FormSchema)
    resolved: JsonObject = jsonref.replace_refs(schema, merge_props=True, proxies=False, lazy_load=False)
    del resolved["$defs"]
    return resolved


class _FormSchema(GenerateJsonSchema):
    """JSON schema without what Airbyte's form cannot show."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """An optional field may be absent, but not null."""
        return self.generate_inner(schema["schema"])

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        """Allow unknown names."""
        described = super().model_schema(schema)
        return {name: value for name, value in described.items() if name != "additionalProperties"}

    def tagged_union_schema(self, schema: core_schema.TaggedUnionSchema) -> JsonSchemaValue:
        """Airbyte identifies each option by its constant, so no discriminator is needed."""
        described = super().tagged_union_schema(schema)
        return {"type": "object", "oneOf": described["oneOf"]}

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Leave out a default of null."""
        described = super().default_schema(schema)
        return {name: value for name, value in described.items() if name != "default" or value is not None}
