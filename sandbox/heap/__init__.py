"""A local simulation of a Heap Connect bucket: dumps with every documented quirk, on real S3 servers."""
