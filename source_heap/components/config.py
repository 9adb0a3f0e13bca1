"""Validation of settings whose rules the JSON schema of the spec cannot express."""

from dataclasses import dataclass

from airbyte_cdk.sources.declarative.validators.validation_strategy import ValidationStrategy

from cdp_connectors.config import Credential
from cdp_connectors.failures import config_error
from cdp_connectors.json_types import Json


@dataclass
class OptionalCredential(Credential):
    """`Credential` that also accepts an empty one, as forms send it for a field that was left empty."""

    def validate(self, value: Json) -> None:
        """Check the normalized credential.

        Raises:
            AirbyteTracedException: a `config_error` that names the field.
        """
        if value:
            super().validate(value)


class NamedRole(ValidationStrategy):
    """Reject credentials of a role that neither have its ARN nor its account and name.

    A schema with these alternatives inside an alternative cannot be rendered by Airbyte's form.
    """

    def validate(self, value: Json) -> None:
        """Check the normalized credentials.

        Raises:
            AirbyteTracedException: a `config_error` that says what to enter.
        """
        if not isinstance(value, dict) or value.get("auth_type") != "role" or value.get("role_arn"):
            return
        if not value.get("role_name"):
            raise config_error("The role is not named. Enter its ARN as 'Role ARN'.")
        if not value.get("aws_account_id") and not str(value["role_name"]).startswith("arn:"):
            raise config_error("The role's account is missing. Enter the whole ARN of the role as 'Role ARN'.")
