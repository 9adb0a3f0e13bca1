from unit_tests.declarative_sources import api, quick_start, waits

__all__ = ["api", "quick_start", "waits"]
