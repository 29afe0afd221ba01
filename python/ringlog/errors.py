"""Exceptions: every class of kafka.errors, of its 2.x and 3.x lines, and a few of our own.

Broker errors are made from one table (`_BROKER_ERRORS`): Kafka's error code, the class name and
what it derives from. Where kafka-python 2.x raised AssertionError and 3.x raises ValueError or
TypeError, we raise a class that is all of them, so that scripts written for either line catch what
they expect.

Class attributes: `errno` (Kafka's error code, broker errors only), `retriable` (the same call may
succeed later) and `invalid_metadata` (it may succeed once the cluster's metadata has been read
again).
"""

import builtins
import sys


class KafkaError(RuntimeError):
    """Base of every error of this package."""

    retriable = False
    invalid_metadata = False

    def __str__(self):
        name = type(self).__name__
        return f"{name}: {super().__str__()}" if self.args else name


class RetriableError(KafkaError):
    retriable = True


class InvalidMetadataError(RetriableError):
    invalid_metadata = True


class BrokerResponseError(KafkaError):
    """An error that the broker answered with; `errno` is Kafka's error code."""

    errno = None
    message = None
    description = None

    def __str__(self):
        return f"[Error {self.errno}] {super().__str__()}"


class AuthorizationError(BrokerResponseError):
    pass


_RETRIABLE = (RetriableError, BrokerResponseError)
_STALE_METADATA = (InvalidMetadataError, BrokerResponseError)
_PARENTS = {
    "": (BrokerResponseError,),
    "R": _RETRIABLE,
    "M": _STALE_METADATA,
    "A": (AuthorizationError,),
    "V": (BrokerResponseError, ValueError),
}

# code, class; R: retriable, M: retriable after new metadata, A: authorization, V: a ValueError
_BROKER_ERRORS = """
 -1 UnknownError
  0 NoError
  1 OffsetOutOfRangeError
  2 CorruptRecordError
  3 UnknownTopicOrPartitionError M
  4 InvalidFetchRequestError
  5 LeaderNotAvailableError M
  6 NotLeaderForPartitionError M
  7 RequestTimedOutError R
  8 BrokerNotAvailableError
  9 ReplicaNotAvailableError M
 10 MessageSizeTooLargeError
 11 StaleControllerEpochError
 12 OffsetMetadataTooLargeError
 13 NetworkExceptionError M
 14 CoordinatorLoadInProgressError R
 15 CoordinatorNotAvailableError R
 16 NotCoordinatorError R
 17 InvalidTopicError V
 18 RecordListTooLargeError
 19 NotEnoughReplicasError R
 20 NotEnoughReplicasAfterAppendError R
 21 InvalidRequiredAcksError
 22 IllegalGenerationError
 23 InconsistentGroupProtocolError
 24 InvalidGroupIdError
 25 UnknownMemberIdError
 26 InvalidSessionTimeoutError
 27 RebalanceInProgressError
 28 InvalidCommitOffsetSizeError
 29 TopicAuthorizationFailedError A
 30 GroupAuthorizationFailedError A
 31 ClusterAuthorizationFailedError A
 32 InvalidTimestampError
 33 UnsupportedSaslMechanismError
 34 IllegalSaslStateError
 35 UnsupportedVersionError
 36 TopicAlreadyExistsError
 37 InvalidPartitionsError
 38 InvalidReplicationFactorError
 39 InvalidReplicationAssignmentError
 40 InvalidConfigurationError
 41 NotControllerError R
 42 InvalidRequestError
 43 UnsupportedForMessageFormatError
 44 PolicyViolationError
 45 OutOfOrderSequenceNumberError
 46 DuplicateSequenceNumberError
 47 InvalidProducerEpochError
 48 InvalidTxnStateError
 49 InvalidProducerIdMappingError
 50 InvalidTransactionTimeoutError
 51 ConcurrentTransactionsError R
 52 TransactionCoordinatorFencedError
 53 TransactionalIdAuthorizationFailedError A
 54 SecurityDisabledError
 55 OperationNotAttemptedError
 56 KafkaStorageError M
 57 LogDirNotFoundError
 58 SaslAuthenticationFailedError
 59 UnknownProducerIdError
 60 ReassignmentInProgressError
 61 DelegationTokenAuthDisabledError
 62 DelegationTokenNotFoundError
 63 DelegationTokenOwnerMismatchError
 64 DelegationTokenRequestNotAllowedError
 65 DelegationTokenAuthorizationFailedError A
 66 DelegationTokenExpiredError
 67 InvalidPrincipalTypeError
 68 NonEmptyGroupError
 69 GroupIdNotFoundError
 70 FetchSessionIdNotFoundError R
 71 InvalidFetchSessionEpochError R
 72 ListenerNotFoundError M
 73 TopicDeletionDisabledError
 74 FencedLeaderEpochError M
 75 UnknownLeaderEpochError M
 76 UnsupportedCompressionTypeError
 77 StaleBrokerEpochError
 78 OffsetNotAvailableError R
 79 MemberIdRequiredError
 80 PreferredLeaderNotAvailableError M
 81 GroupMaxSizeReachedError
 82 FencedInstanceIdError
 83 EligibleLeadersNotAvailableError M
 84 ElectionNotNeededError M
 85 NoReassignmentInProgressError
 86 GroupSubscribedToTopicError
 87 InvalidRecordError
 88 UnstableOffsetCommitError R
 89 ThrottlingQuotaExceededError R
 90 ProducerFencedError
 91 ResourceNotFoundError
 92 DuplicateResourceError
 93 UnacceptableCredentialError
 94 InconsistentVoterSetError
 95 InvalidUpdateVersionError
 96 FeatureUpdateFailedError
 97 PrincipalDeserializationFailureError
 98 SnapshotNotFoundError
 99 PositionOutOfRangeError
100 UnknownTopicIdError M
101 DuplicateBrokerRegistrationError
102 BrokerIdNotRegisteredError
103 InconsistentTopicIdError M
104 InconsistentClusterIdError
105 TransactionalIdNotFoundError
106 FetchSessionTopicIdError R
107 IneligibleReplicaError
108 NewLeaderElectedError
109 OffsetMovedToTieredStorageError
110 FencedMemberEpochError
111 UnreleasedInstanceIdError
112 UnsupportedAssignorError
113 StaleMemberEpochError
114 MismatchedEndpointTypeError
115 UnsupportedEndpointTypeError
116 UnknownControllerIdError
117 UnknownSubscriptionIdError
118 TelemetryTooLargeError
119 InvalidRegistrationError
120 TransactionAbortableError
121 InvalidRecordStateError
122 ShareSessionNotFoundError R
123 InvalidShareSessionEpochError R
124 FencedStateEpochError
125 InvalidVoterKeyError
126 DuplicateVoterError
127 VoterNotFoundError
"""

_CLIENT_ERRORS = """
Cancelled                  RetriableError
IllegalArgumentError       KafkaError
IllegalStateError          KafkaError AssertionError
KafkaConfigurationError    KafkaError
KafkaConnectionError       InvalidMetadataError
KafkaProtocolError         KafkaError
CorrelationIdError         RetriableError KafkaProtocolError
InvalidReceiveError        KafkaProtocolError
KafkaTimeoutError          RetriableError
MetadataEmptyBrokerList    RetriableError
NoBrokersAvailable         InvalidMetadataError
NoOffsetForPartitionError  KafkaError
NodeNotReadyError          RetriableError
QuotaViolationError        KafkaError
StaleMetadata              InvalidMetadataError
TooManyInFlightRequests    RetriableError
TransactionAbortedError    KafkaError
UnknownBrokerIdError       KafkaError
UnrecognizedBrokerVersion  KafkaError
UnsupportedCodecError      KafkaError
"""


def _named(name):
    return globals().get(name) or getattr(builtins, name)


def _define(name, parents, **attributes):
    error = type(name, parents, {"__module__": __name__, **attributes})
    setattr(sys.modules[__name__], name, error)
    return error


def _define_tables():
    errors = {}
    for line in _BROKER_ERRORS.strip().splitlines():
        code, name, flag = (line.split() + [""])[:3]
        errors[int(code)] = _define(name, _PARENTS[flag], errno=int(code))
    for line in _CLIENT_ERRORS.strip().splitlines():
        name, *parents = line.split()
        _define(name, tuple(_named(parent) for parent in parents))
    return errors


kafka_errors = _define_tables()
"""Kafka error code -> class."""

CorruptRecordException = CorruptRecordError  # noqa: F821, the name of kafka-python before 1.3


class IncompatibleBrokerVersion(UnsupportedVersionError):  # noqa: F821
    pass


class CommitFailedError(KafkaError):
    def __init__(self, *args):
        super().__init__(
            *args
            or (
                "the group has rebalanced and gave the partitions to another member; "
                "their records may be delivered again",
            )
        )


class LogTruncationError(KafkaError):
    """The log was truncated below the consumer's position (KIP-320).

    `divergent_offsets`: {TopicPartition: OffsetAndMetadata to seek back to, or None if unknown}.
    """

    def __init__(self, divergent_offsets, *args):
        self.divergent_offsets = divergent_offsets
        super().__init__(
            *args or (f"the log was truncated below the position of {divergent_offsets}",)
        )


# What this package raises where kafka-python's lines differ.


class InvalidArgumentValueError(IllegalArgumentError, ValueError, AssertionError):  # noqa: F821
    """An argument of the right type has a value that cannot be."""


class InvalidArgumentTypeError(IllegalArgumentError, TypeError, AssertionError):  # noqa: F821
    """An argument has the wrong type."""


class InvalidOptionError(KafkaConfigurationError, ValueError, AssertionError):  # noqa: F821
    """An option of a client is unknown or has a bad value."""


class ClosedError(IllegalStateError):  # noqa: F821
    """The client was closed."""


class BootstrapError(KafkaTimeoutError, NoBrokersAvailable):  # noqa: F821
    """No bootstrap server answered; the message has the stage that failed and its cause."""


class NotYetSupportedError(UnsupportedVersionError, NotImplementedError):  # noqa: F821
    """Part of Kafka that this version does not do; the message says what to do instead."""


class RecordDeserializationError(KafkaError):
    """A deserializer raised (it is the `__cause__`) on the record at `offset` of `topic_partition`.

    The consumer's position stays at the record; `consumer.seek(topic_partition, offset + 1)` goes
    on after it.
    """

    topic_partition = None
    offset = None


class WakeupError(KafkaError):
    """`wakeup()` ended a wait."""


class ForkedProcessError(IllegalStateError):  # noqa: F821
    """A client was used in a forked child; make a new one there."""


class LogDirLockedError(KafkaStorageError, NoBrokersAvailable):  # noqa: F821
    """Another process owns the directory and does not share it, or all of it was asked for."""


class LogDirUnreadableError(KafkaStorageError):  # noqa: F821
    """The directory cannot be opened: foreign, damaged, no directory, or no permission."""

    retriable = False


class LogDirVersionError(LogDirUnreadableError, UnsupportedVersionError):  # noqa: F821
    """The directory was written in a newer format."""


def for_code(code):
    """The class of a Kafka error code; an UnknownError class keeps a code that is unknown."""
    known = kafka_errors.get(code)
    return known or type("UnrecognizedBrokerError", (UnknownError,), {"errno": code})  # noqa: F821


def make_error(code, message):
    """An exception of the core; `code`: Kafka's, or the name of a class here or in builtins."""
    if isinstance(code, int):
        return for_code(code)(message)
    return _named(code)(message)
