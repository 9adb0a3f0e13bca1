"""Airbyte source for Customer.io's App API: people, deliveries, activities and the workspace's configuration."""

from source_customerio.source import SourceCustomerio

__all__ = ["SourceCustomerio"]
