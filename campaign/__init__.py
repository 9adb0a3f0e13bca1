"""The reliability campaign: complete jobs of real connector processes, with random faults at every interface.

`make campaign CONNECTOR=segment MINUTES=10` runs cases with the seeds 1, 2, 3 …; `SEED=17` runs only case 17, as a
failing case suggests, and minimises it. The faults of a case depend only on its seed; which request or line a fault
hits also depends on how the connector's threads interleave, so a rare failure may need several runs of its case.
"""
