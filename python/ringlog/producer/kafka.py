import math
from typing import TYPE_CHECKING

from ringlog import _native, config, errors, partitioner, serializer
from ringlog.cluster import ClusterMetadata

if TYPE_CHECKING:
    from typing_extensions import Self

_PASSED_ON = (
    "client_id",
    "acks",
    "enable_idempotence",
    "compression_type",
    "batch_size",
    "linger_ms",
    "max_block_ms",
    "max_request_size",
    "delivery_timeout_ms",
    "request_timeout_ms",
    "retry_backoff_ms",
    "buffer_memory",
    "allow_auto_create_topics",
)


class KafkaProducer(_native.Producer):
    """Sends records; thread-safe, one per process is usual.

    Options are those of kafka-python (`ringlog.config`). Methods that live in the core:

    - `send(topic, value=None, key=None, headers=None, partition=None, timestamp_ms=None)` -> a
      future; its `get(timeout)` gives a RecordMetadata once the record is durable. `headers`: list
      of (text, bytes). Waits at most `max_block_ms` for room.
    - `flush(timeout=None)`, seconds: until everything sent before is durable or has failed.
    - `close(timeout=None)`: flush, then no more; the process does it at its end.
    - `partitions_for(topic)` -> set of numbers; `bootstrap_connected()`.

    `config` (dict) holds the options in force.
    """

    DEFAULT_CONFIG = config.defaults("KafkaProducer")

    def __init__(self, **configs):
        options, log = config.parse("KafkaProducer", configs)
        config.check_producer(options, configs)
        self.config = options
        key_serializer, key_arity = serializer.as_function(
            options["key_serializer"], "serialize", "key_serializer"
        )
        value_serializer, value_arity = serializer.as_function(
            options["value_serializer"], "serialize", "value_serializer"
        )
        super().__init__(
            {
                **config.opening(options, log),
                "max_in_flight": options["max_in_flight_requests_per_connection"],
                "retries": None if options["retries"] == math.inf else options["retries"],
                "key_serializer": key_serializer,
                "key_serializer_arity": key_arity,
                "value_serializer": value_serializer,
                "value_serializer_arity": value_arity,
                "partitioner": partitioner.as_function(
                    options["partitioner"], ClusterMetadata(self)
                ),
                **{name: options[name] for name in _PASSED_ON},
            }
        )

    def partitions_for(self, topic):
        """Set of partition numbers; makes the topic, as send() does."""
        return super().partitions_for(topic)

    @classmethod
    def max_usable_produce_magic(cls, api_version):
        """The version of record batches that brokers of `api_version` take; here always 2."""
        return 2

    # Transactions: transactional_id is refused, so that no producer has them.

    def init_transactions(self):
        """IllegalStateError: this version does not write transactions."""
        self._refuse_transactions()

    def begin_transaction(self):
        """IllegalStateError: this version does not write transactions."""
        self._refuse_transactions()

    def send_offsets_to_transaction(self, offsets, group_metadata):
        """IllegalStateError: this version does not write transactions."""
        self._refuse_transactions()

    def commit_transaction(self):
        """IllegalStateError: this version does not write transactions."""
        self._refuse_transactions()

    def abort_transaction(self):
        """IllegalStateError: this version does not write transactions."""
        self._refuse_transactions()

    @staticmethod
    def _refuse_transactions():
        raise errors.IllegalStateError(
            "this producer has no transactional_id: this version does not write transactions yet"
        )

    def __enter__(self) -> "Self":
        return self

    def __exit__(self, exc_type, exc_val, exc_tb):
        self.close()
