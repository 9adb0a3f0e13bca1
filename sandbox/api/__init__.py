"""What the simulated vendors share: endpoints, pages, refusals, time, faults, and a journal of the requests."""
