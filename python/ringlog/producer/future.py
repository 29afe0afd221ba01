"""What `send` returns, and what it becomes."""

from ringlog._native import Future as FutureRecordMetadata
from ringlog.future import Future
from ringlog.structs import RecordMetadata

Future.register(FutureRecordMetadata)

__all__ = ["FutureRecordMetadata", "RecordMetadata"]
