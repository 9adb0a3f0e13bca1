"""Segment's HTTP Tracking API, simulated: the write side of the workspace that `sandbox.segment` generates."""
