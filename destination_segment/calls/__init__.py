"""Conversion of records into calls: batched calls of Segment's spec, and API calls."""
