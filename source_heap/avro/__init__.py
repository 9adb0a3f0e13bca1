"""Avro object container files: their structure, their rows as columns of JSON values, their schemas as JSON schemas."""
