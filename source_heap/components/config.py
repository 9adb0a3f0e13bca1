"""Validation of settings that the JSON schema of the spec cannot express."""

from dataclasses import dataclass

from airbyte_cdk.sources.declarative.validators.validation_strategy import ValidationStrategy

from cdp_connectors.config import Credential
from cdp_connectors.failures import config_error
from cdp_connectors.json_types import Json


@dataclass
class OptionalCredential(Credential):
    """`Credential` that also accepts an empty string, which forms send for a field that was left empty."""

    def validate(self, value: Json) -> None:
        """Check the normalized credential.

        Raises:
            AirbyteTracedException: a `config_error` that names the field.
        """
        if value:
            super().validate(value)


class NamedRole(ValidationStrategy):
    """Rejects role credentials that have neither an ARN nor an account and a name.

    Airbyte's form cannot render a schema with these alternatives inside another alternative.
    """

    def validate(self, value: Json) -> None:
        """Check the normalized credentials.

        Raises:
            AirbyteTracedException: a `config_error` that names the field to fill in.
        """
        if not isinstance(value, dict) or value.get("auth_type") != "role" or value.get("role_arn"):
            return
        if not value.get("role_name"):
            raise config_error("The role is missing. Enter its ARN as 'Role ARN'.")
        if not value.get("aws_account_id") and not str(value["role_name"]).startswith("arn:"):
            raise config_error("The role's account is missing. Enter the full ARN of the role as 'Role ARN'.")
