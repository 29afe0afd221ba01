"""When a log of this process is opened and closed."""

import atexit
import os

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
    be opened. A log that another process has open stays there: its settings have to be these.
    """
    log = address.of_directory(directory, config)
    _native.open(log.location, log.settings)


def backup(directory, target):
    """Makes `target` a Kafka log directory with all that the log in `directory` holds now.

    Clients go on meanwhile. What was acknowledged before the call is in it, and of each partition
    there is no gap; all partitions are as they were at one moment. `target` must not exist, or be
    an empty directory, and appears as a whole or not at all. It is opened as `file:TARGET`, by
    ringlog or as a directory of `log.dirs` by Kafka. What is set of `ringlog.durability` lies
    beside it, in TARGET.ringlog (which is not there when nothing is set): move the two together.
    For the process that owns the log, or when none does.
    """
    _native.back_up(address.of_directory(directory).location, os.path.abspath(target))


def close(directory):
    """Closes the log cleanly; clients that still use it get ClosedError.

    In the process that owns it. Clients of other processes go on: one of these takes it over.
    """
    _native.close(address.of_directory(directory).location)
