import pickle

import pytest
from ringlog import errors


def test_every_code_has_one_class_and_back():
    assert sorted(errors.kafka_errors) == list(range(-1, 128))
    for code, error in errors.kafka_errors.items():
        assert error.errno == code
        assert errors.for_code(code) is error
        assert issubclass(error, errors.BrokerResponseError)


def test_a_code_of_a_newer_kafka_keeps_its_number():
    error = errors.for_code(4711)
    assert issubclass(error, errors.UnknownError) and error.errno == 4711


@pytest.mark.parametrize(
    "name, retriable, invalid_metadata",
    [
        ("OffsetOutOfRangeError", False, False),
        ("UnknownTopicOrPartitionError", True, True),
        ("RequestTimedOutError", True, False),
        ("TopicAuthorizationFailedError", False, False),
        ("KafkaTimeoutError", True, False),
        ("KafkaConnectionError", True, True),
    ],
)
def test_flags(name, retriable, invalid_metadata):
    error = getattr(errors, name)
    assert (error.retriable, error.invalid_metadata) == (retriable, invalid_metadata)


@pytest.mark.parametrize(
    "raised, caught",
    [
        (
            errors.InvalidArgumentValueError,
            (ValueError, AssertionError, errors.IllegalArgumentError),
        ),
        (errors.InvalidArgumentTypeError, (TypeError, AssertionError, errors.IllegalArgumentError)),
        (errors.InvalidOptionError, (ValueError, AssertionError, errors.KafkaConfigurationError)),
        (errors.ClosedError, (AssertionError, errors.IllegalStateError)),
        (errors.InvalidTopicError, (ValueError, errors.BrokerResponseError)),
        (errors.LogDirLockedError, (errors.NoBrokersAvailable, errors.KafkaStorageError)),
        (errors.IncompatibleBrokerVersion, (errors.UnsupportedVersionError,)),
        (errors.RequestTimedOutError, (errors.RetriableError, RuntimeError)),
        (errors.GroupAuthorizationFailedError, (errors.AuthorizationError,)),
    ],
)
def test_both_lines_of_kafka_python_catch_it(raised, caught):
    for family in caught:
        with pytest.raises(family):
            raise raised("why")


def test_text_names_class_and_code():
    assert str(errors.KafkaTimeoutError("too late")) == "KafkaTimeoutError: too late"
    assert str(errors.KafkaTimeoutError()) == "KafkaTimeoutError"
    assert str(errors.InvalidTopicError("a/b")) == "[Error 17] InvalidTopicError: a/b"


def test_core_errors_are_made_from_a_code_or_a_name():
    assert type(errors.make_error(3, "orders")) is errors.UnknownTopicOrPartitionError
    assert type(errors.make_error("ClosedError", "gone")) is errors.ClosedError
    assert type(errors.make_error("KeyboardInterrupt", "")) is KeyboardInterrupt


def test_errors_survive_pickling():
    error = pickle.loads(pickle.dumps(errors.UnknownTopicOrPartitionError("orders")))
    assert type(error) is errors.UnknownTopicOrPartitionError and error.args == ("orders",)
