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
    "-": (BrokerResponseError,),
    "R": _RETRIABLE,
    "M": _STALE_METADATA,
    "A": (AuthorizationError,),
    "V": (BrokerResponseError, ValueError),
}

# code; R: retriable, M: retriable after new metadata, A: authorization, V: a ValueError; class;
# `message`
_BROKER_ERRORS = """
 -1 - UnknownError                            UNKNOWN
  0 - NoError                                 NO_ERROR
  1 - OffsetOutOfRangeError                   OFFSET_OUT_OF_RANGE
  2 - CorruptRecordError                      CORRUPT_MESSAGE
  3 M UnknownTopicOrPartitionError            UNKNOWN_TOPIC_OR_PARTITION
  4 - InvalidFetchRequestError                INVALID_FETCH_SIZE
  5 M LeaderNotAvailableError                 LEADER_NOT_AVAILABLE
  6 M NotLeaderForPartitionError              NOT_LEADER_FOR_PARTITION
  7 R RequestTimedOutError                    REQUEST_TIMED_OUT
  8 - BrokerNotAvailableError                 BROKER_NOT_AVAILABLE
  9 M ReplicaNotAvailableError                REPLICA_NOT_AVAILABLE
 10 - MessageSizeTooLargeError                MESSAGE_SIZE_TOO_LARGE
 11 - StaleControllerEpochError               STALE_CONTROLLER_EPOCH
 12 - OffsetMetadataTooLargeError             OFFSET_METADATA_TOO_LARGE
 13 M NetworkExceptionError                   NETWORK_EXCEPTION
 14 R CoordinatorLoadInProgressError          COORDINATOR_LOAD_IN_PROGRESS
 15 R CoordinatorNotAvailableError            COORDINATOR_NOT_AVAILABLE
 16 R NotCoordinatorError                     NOT_COORDINATOR
 17 V InvalidTopicError                       INVALID_TOPIC
 18 - RecordListTooLargeError                 RECORD_LIST_TOO_LARGE
 19 R NotEnoughReplicasError                  NOT_ENOUGH_REPLICAS
 20 R NotEnoughReplicasAfterAppendError       NOT_ENOUGH_REPLICAS_AFTER_APPEND
 21 - InvalidRequiredAcksError                INVALID_REQUIRED_ACKS
 22 - IllegalGenerationError                  ILLEGAL_GENERATION
 23 - InconsistentGroupProtocolError          INCONSISTENT_GROUP_PROTOCOL
 24 - InvalidGroupIdError                     INVALID_GROUP_ID
 25 - UnknownMemberIdError                    UNKNOWN_MEMBER_ID
 26 - InvalidSessionTimeoutError              INVALID_SESSION_TIMEOUT
 27 - RebalanceInProgressError                REBALANCE_IN_PROGRESS
 28 - InvalidCommitOffsetSizeError            INVALID_COMMIT_OFFSET_SIZE
 29 A TopicAuthorizationFailedError           TOPIC_AUTHORIZATION_FAILED
 30 A GroupAuthorizationFailedError           GROUP_AUTHORIZATION_FAILED
 31 A ClusterAuthorizationFailedError         CLUSTER_AUTHORIZATION_FAILED
 32 - InvalidTimestampError                   INVALID_TIMESTAMP
 33 - UnsupportedSaslMechanismError           UNSUPPORTED_SASL_MECHANISM
 34 - IllegalSaslStateError                   ILLEGAL_SASL_STATE
 35 - UnsupportedVersionError                 UNSUPPORTED_VERSION
 36 - TopicAlreadyExistsError                 TOPIC_ALREADY_EXISTS
 37 - InvalidPartitionsError                  INVALID_PARTITIONS
 38 - InvalidReplicationFactorError           INVALID_REPLICATION_FACTOR
 39 - InvalidReplicationAssignmentError       INVALID_REPLICATION_ASSIGNMENT
 40 - InvalidConfigurationError               INVALID_CONFIG
 41 R NotControllerError                      NOT_CONTROLLER
 42 - InvalidRequestError                     INVALID_REQUEST
 43 - UnsupportedForMessageFormatError        UNSUPPORTED_FOR_MESSAGE_FORMAT
 44 - PolicyViolationError                    POLICY_VIOLATION
 45 - OutOfOrderSequenceNumberError           OUT_OF_ORDER_SEQUENCE_NUMBER
 46 - DuplicateSequenceNumberError            DUPLICATE_SEQUENCE_NUMBER
 47 - InvalidProducerEpochError               INVALID_PRODUCER_EPOCH
 48 - InvalidTxnStateError                    INVALID_TXN_STATE
 49 - InvalidProducerIdMappingError           INVALID_PRODUCER_ID_MAPPING
 50 - InvalidTransactionTimeoutError          INVALID_TRANSACTION_TIMEOUT
 51 R ConcurrentTransactionsError             CONCURRENT_TRANSACTIONS
 52 - TransactionCoordinatorFencedError       TRANSACTION_COORDINATOR_FENCED
 53 A TransactionalIdAuthorizationFailedError TRANSACTIONAL_ID_AUTHORIZATION_FAILED
 54 - SecurityDisabledError                   SECURITY_DISABLED
 55 - OperationNotAttemptedError              OPERATION_NOT_ATTEMPTED
 56 M KafkaStorageError                       KAFKA_STORAGE_ERROR
 57 - LogDirNotFoundError                     LOG_DIR_NOT_FOUND
 58 - SaslAuthenticationFailedError           SASL_AUTHENTICATION_FAILED
 59 - UnknownProducerIdError                  UNKNOWN_PRODUCER_ID
 60 - ReassignmentInProgressError             REASSIGNMENT_IN_PROGRESS
 61 - DelegationTokenAuthDisabledError        DELEGATION_TOKEN_AUTH_DISABLED
 62 - DelegationTokenNotFoundError            DELEGATION_TOKEN_NOT_FOUND
 63 - DelegationTokenOwnerMismatchError       DELEGATION_TOKEN_OWNER_MISMATCH
 64 - DelegationTokenRequestNotAllowedError   DELEGATION_TOKEN_REQUEST_NOT_ALLOWED
 65 A DelegationTokenAuthorizationFailedError DELEGATION_TOKEN_AUTHORIZATION_FAILED
 66 - DelegationTokenExpiredError             DELEGATION_TOKEN_EXPIRED
 67 - InvalidPrincipalTypeError               INVALID_PRINCIPAL_TYPE
 68 - NonEmptyGroupError                      NON_EMPTY_GROUP
 69 - GroupIdNotFoundError                    GROUP_ID_NOT_FOUND
 70 R FetchSessionIdNotFoundError             FETCH_SESSION_ID_NOT_FOUND
 71 R InvalidFetchSessionEpochError           INVALID_FETCH_SESSION_EPOCH
 72 M ListenerNotFoundError                   LISTENER_NOT_FOUND
 73 - TopicDeletionDisabledError              TOPIC_DELETION_DISABLED
 74 M FencedLeaderEpochError                  FENCED_LEADER_EPOCH
 75 M UnknownLeaderEpochError                 UNKNOWN_LEADER_EPOCH
 76 - UnsupportedCompressionTypeError         UNSUPPORTED_COMPRESSION_TYPE
 77 - StaleBrokerEpochError                   STALE_BROKER_EPOCH
 78 R OffsetNotAvailableError                 OFFSET_NOT_AVAILABLE
 79 - MemberIdRequiredError                   MEMBER_ID_REQUIRED
 80 M PreferredLeaderNotAvailableError        PREFERRED_LEADER_NOT_AVAILABLE
 81 - GroupMaxSizeReachedError                GROUP_MAX_SIZE_REACHED
 82 - FencedInstanceIdError                   FENCED_INSTANCE_ID
 83 M EligibleLeadersNotAvailableError        ELIGIBLE_LEADERS_NOT_AVAILABLE
 84 M ElectionNotNeededError                  ELECTION_NOT_NEEDED
 85 - NoReassignmentInProgressError           NO_REASSIGNMENT_IN_PROGRESS
 86 - GroupSubscribedToTopicError             GROUP_SUBSCRIBED_TO_TOPIC
 87 - InvalidRecordError                      INVALID_RECORD
 88 R UnstableOffsetCommitError               UNSTABLE_OFFSET_COMMIT
 89 R ThrottlingQuotaExceededError            THROTTLING_QUOTA_EXCEEDED
 90 - ProducerFencedError                     PRODUCER_FENCED
 91 - ResourceNotFoundError                   RESOURCE_NOT_FOUND
 92 - DuplicateResourceError                  DUPLICATE_RESOURCE
 93 - UnacceptableCredentialError             UNACCEPTABLE_CREDENTIAL
 94 - InconsistentVoterSetError               INCONSISTENT_VOTER_SET
 95 - InvalidUpdateVersionError               INVALID_UPDATE_VERSION
 96 - FeatureUpdateFailedError                FEATURE_UPDATE_FAILED
 97 - PrincipalDeserializationFailureError    PRINCIPAL_DESERIALIZATION_FAILURE
 98 - SnapshotNotFoundError                   SNAPSHOT_NOT_FOUND
 99 - PositionOutOfRangeError                 POSITION_OUT_OF_RANGE
100 M UnknownTopicIdError                     UNKNOWN_TOPIC_ID
101 - DuplicateBrokerRegistrationError        DUPLICATE_BROKER_REGISTRATION
102 - BrokerIdNotRegisteredError              BROKER_ID_NOT_REGISTERED
103 M InconsistentTopicIdError                INCONSISTENT_TOPIC_ID
104 - InconsistentClusterIdError              INCONSISTENT_CLUSTER_ID
105 - TransactionalIdNotFoundError            TRANSACTIONAL_ID_NOT_FOUND
106 R FetchSessionTopicIdError                FETCH_SESSION_TOPIC_ID_ERROR
107 - IneligibleReplicaError                  INELIGIBLE_REPLICA
108 - NewLeaderElectedError                   NEW_LEADER_ELECTED
109 - OffsetMovedToTieredStorageError         OFFSET_MOVED_TO_TIERED_STORAGE
110 - FencedMemberEpochError                  FENCED_MEMBER_EPOCH
111 - UnreleasedInstanceIdError               UNRELEASED_INSTANCE_ID
112 - UnsupportedAssignorError                UNSUPPORTED_ASSIGNOR
113 - StaleMemberEpochError                   STALE_MEMBER_EPOCH
114 - MismatchedEndpointTypeError             MISMATCHED_ENDPOINT_TYPE
115 - UnsupportedEndpointTypeError            UNSUPPORTED_ENDPOINT_TYPE
116 - UnknownControllerIdError                UNKNOWN_CONTROLLER_ID
117 - UnknownSubscriptionIdError              UNKNOWN_SUBSCRIPTION_ID
118 - TelemetryTooLargeError                  TELEMETRY_TOO_LARGE
119 - InvalidRegistrationError                INVALID_REGISTRATION
120 - TransactionAbortableError               TRANSACTION_ABORTABLE
121 - InvalidRecordStateError                 INVALID_RECORD_STATE
122 R ShareSessionNotFoundError               SHARE_SESSION_NOT_FOUND
123 R InvalidShareSessionEpochError           INVALID_SHARE_SESSION_EPOCH
124 - FencedStateEpochError                   FENCED_STATE_EPOCH
125 - InvalidVoterKeyError                    INVALID_VOTER_KEY
126 - DuplicateVoterError                     DUPLICATE_VOTER
127 - VoterNotFoundError                      VOTER_NOT_FOUND
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
        code, flag, name, message = line.split()
        errors[int(code)] = _define(name, _PARENTS[flag], errno=int(code), message=message)
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


def for_code(error_code):
    """The class of a Kafka error code; an UnknownError class keeps a code that is unknown."""
    known = kafka_errors.get(error_code)
    made = {"errno": error_code}
    return known or type("UnrecognizedBrokerError", (UnknownError,), made)  # noqa: F821


def make_error(code, message):
    """An exception of the core; `code`: Kafka's, or the name of a class here or in builtins."""
    if isinstance(code, int):
        return for_code(code)(message)
    return _named(code)(message)
