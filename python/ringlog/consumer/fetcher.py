from ringlog import tables
from ringlog._native import ConsumerRecord

setattr(ConsumerRecord, "_repr_html_", tables.row_html)  # noqa: B010, a class of the core

__all__ = ["ConsumerRecord"]
