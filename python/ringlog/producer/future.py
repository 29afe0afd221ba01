"""What `send` returns, and what it becomes."""

from ringlog._native import Future as FutureRecordMetadata
from ringlog.structs import RecordMetadata

__all__ = ["FutureRecordMetadata", "RecordMetadata"]
