"""Delivery of calls to Segment: batches, order, retries, and states once everything before them was accepted."""
