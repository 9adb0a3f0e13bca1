"""Summary of the dumps that make up the current content of a table."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TableHistory:
    """The dumps of one table so far.

    `first_valid_dump_id` is the newest full copy, or else the oldest dump; dumps before it do not count.
    `file_count` is the number of files in the dumps that count.
    """

    first_valid_dump_id: int
    newest_dump_id: int
    file_count: int

    @classmethod
    def after(
        cls, earlier: "TableHistory | None", dump_id: int, file_count: int, *, is_full_copy: bool
    ) -> "TableHistory":
        """The history after a dump that is newer than all of `earlier`."""
        if earlier is None or is_full_copy:
            return cls(dump_id, dump_id, file_count)
        return cls(earlier.first_valid_dump_id, dump_id, earlier.file_count + file_count)
