"""A Heap Connect bucket, simulated on this machine: dumps with every documented quirk, on real S3 servers."""
