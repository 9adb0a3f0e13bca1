"""Records as calls: batched calls of Segment's spec, and API calls of their own."""
