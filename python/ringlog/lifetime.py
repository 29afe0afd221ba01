"""When a log of this process is opened and closed."""

import atexit

from ringlog import _native, address, errors, structs

_native.register(
    make_error=errors.make_error,
    topic_partition=structs.TopicPartition,
    offset_and_metadata=structs.OffsetAndMetadata,
    offset_and_timestamp=structs.OffsetAndTimestamp,
    record_metadata=structs.RecordMetadata,
)
atexit.register(_native.shutdown)


def open(directory, config=None):
    """Opens the log in `directory` (or at an address) with broker settings, until close().

    Clients open a log by themselves; this is for settings, and for finding out early that it cannot
    be opened.
    """
    log = address.of_directory(directory, config)
    _native.open(log.location, log.settings)


def close(directory):
    """Closes the log cleanly; clients that still use it get ClosedError."""
    _native.close(address.of_directory(directory).location)
