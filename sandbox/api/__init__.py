"""The shared parts of the simulated vendors: endpoints, pagination, validation, time, faults, and the request log."""
