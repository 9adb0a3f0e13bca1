"""The reliability campaign: whole jobs of real connector processes, with faults drawn from a seed at every seam.

`make campaign CONNECTOR=segment MINUTES=10` runs cases with the seeds 1, 2, 3 …; `SEED=17` runs case 17 alone, as a
failing case tells, and minimises it. The faults of a case depend on its seed only; which request or line a fault meets
also depends on how the connector's threads interleave, so a rare failure may need several runs of its case.
"""
