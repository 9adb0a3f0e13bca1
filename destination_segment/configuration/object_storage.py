"""Storage for rejected records; the settings are named as in Airbyte's own destinations."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator
from typing_extensions import Self

from destination_segment.configuration.form import FormModel, NonEmptyString, form_field

STORAGE_TYPE = form_field("Storage Type", "Where rejected records are kept.", order=0)


class NoStorage(FormModel):
    """Rejected records are only counted and logged by key."""

    model_config = ConfigDict(title="None", extra="ignore")

    storage_type: Literal["None"] = STORAGE_TYPE


class S3Storage(FormModel):
    """A bucket in S3 or a compatible store."""

    model_config = ConfigDict(title="S3", extra="ignore")

    storage_type: Literal["S3"] = STORAGE_TYPE
    access_key_id: NonEmptyString | None = form_field(
        "Access Key ID",
        "Access key with s3:PutObject on the bucket. Without it, the AWS default credential chain is used.",
        order=1,
        default=None,
        airbyte_secret=True,
        always_show=True,
    )
    secret_access_key: NonEmptyString | None = form_field(
        "Secret Access Key",
        "Secret of the access key.",
        order=2,
        default=None,
        airbyte_secret=True,
        always_show=True,
    )
    s3_bucket_name: NonEmptyString = form_field("S3 Bucket Name", "Name of the bucket.", order=4)
    s3_bucket_region: NonEmptyString | None = form_field(
        "S3 Bucket Region", "Region of the bucket.", order=5, default=None, always_show=True, examples=["eu-west-1"]
    )
    s3_endpoint: NonEmptyString | None = form_field(
        "S3 Endpoint",
        "Base URL of an S3-compatible store; empty for AWS.",
        order=6,
        default=None,
        examples=["https://storage.example.com"],
    )
    bucket_path: str = form_field(
        "Prefix Path in the Bucket",
        "Every object's name begins with this path.",
        order=7,
        default="",
        always_show=True,
        examples=["segment/rejected"],
    )

    @model_validator(mode="after")
    def require_whole_key(self) -> Self:
        """Reject an incomplete access key."""
        if bool(self.access_key_id) != bool(self.secret_access_key):
            raise ValueError("needs both an access key id and a secret access key, or neither")
        return self


ObjectStorage = Annotated[NoStorage | S3Storage, Field(discriminator="storage_type")]
