"""The Segment Public API, simulated: one workspace, served in both regions."""
