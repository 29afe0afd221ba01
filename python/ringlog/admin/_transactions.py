from enum import Enum
from typing import NamedTuple

from ringlog import errors
from ringlog.enums import Named
from ringlog.structs import TopicPartition


class TransactionState(Named, str, Enum):
    EMPTY = "Empty"
    ONGOING = "Ongoing"
    PREPARE_COMMIT = "PrepareCommit"
    PREPARE_ABORT = "PrepareAbort"
    COMPLETE_COMMIT = "CompleteCommit"
    COMPLETE_ABORT = "CompleteAbort"
    DEAD = "Dead"
    PREPARE_EPOCH_FENCE = "PrepareEpochFence"
    UNKNOWN = "Unknown"


class TransactionListing(NamedTuple):
    transactional_id: str
    producer_id: int
    state: TransactionState


class TransactionDescription(NamedTuple):
    coordinator_id: int
    state: TransactionState
    producer_id: int
    producer_epoch: int
    transaction_timeout_ms: int
    transaction_start_time_ms: int
    topic_partitions: set


class AbortTransactionSpec(NamedTuple):
    topic_partition: TopicPartition
    producer_id: int
    producer_epoch: int
    coordinator_epoch: int = -1


class TransactionAdmin:
    """Transactions (KIP-664); part of KafkaAdminClient. Refused: this version has no transaction
    coordinator, and does not ask other brokers' either.
    """

    def list_transactions(
        self,
        broker_ids=None,
        producer_id_filters=None,
        state_filters=None,
        duration_filter_ms=None,
        transactional_id_pattern=None,
    ):
        """Refused with NotYetSupportedError, an UnsupportedVersionError."""
        _refuse("list_transactions", "ListTransactions")

    def describe_transactions(self, transactional_ids):
        """Refused with NotYetSupportedError, an UnsupportedVersionError."""
        _refuse("describe_transactions", "DescribeTransactions")

    def find_hanging_transactions(self, broker_ids=None, max_transaction_timeout_ms=900000):
        """Refused with NotYetSupportedError, an UnsupportedVersionError."""
        _refuse("find_hanging_transactions", "ListTransactions")

    def abort_transaction(self, spec):
        """Refused with NotYetSupportedError, an UnsupportedVersionError."""
        _refuse("abort_transaction", "WriteTxnMarkers")


def _refuse(call, api):
    raise errors.NotYetSupportedError(
        f"{call}: needs {api}, which this version neither serves nor asks: it has no transactions"
    )
