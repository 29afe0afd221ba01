import pytest
from ringlog import errors
from ringlog.serializer import (
    DefaultSerializer,
    Deserializer,
    DeserializeWrapper,
    JsonSerializer,
    Serializer,
    SerializeWrapper,
    as_function,
)


class TwoArguments:
    def serialize(self, topic, value):
        return f"{topic}:{value}".encode()


class ThreeArguments(Serializer, Deserializer):
    def serialize(self, topic, headers, data):
        return repr((topic, headers, data)).encode()

    def deserialize(self, topic, headers, data):
        return topic, headers, data


def test_default_serializer_takes_text_and_bytes():
    serializer = DefaultSerializer()
    assert serializer.serialize("t", [], "é") == "é".encode()
    assert serializer.serialize("t", [], b"raw") == b"raw"
    assert serializer.serialize("t", [], None) is None
    assert serializer.deserialize("t", [], "é".encode()) == "é"
    assert serializer.deserialize("t", [], None) is None
    assert DefaultSerializer("latin-1").serialize("t", [], "é") == b"\xe9"


def test_json_serializer_keeps_tombstones():
    serializer = JsonSerializer()
    assert serializer.deserialize("t", [], serializer.serialize("t", [], {"a": [1]})) == {"a": [1]}
    assert serializer.serialize("t", [], None) is None
    assert serializer.deserialize("t", [], None) is None


def test_wrappers_are_objects_of_a_function():
    assert SerializeWrapper(str.encode).serialize("t", [], "a") == b"a"
    assert SerializeWrapper(None).serialize("t", [], b"a") == b"a"
    assert DeserializeWrapper(bytes.decode).deserialize("t", [], b"a") == "a"


def called(serializer):
    function, arity = as_function(serializer, "serialize", "value_serializer")
    return function("v") if arity == 1 else function("t", [("h", b"1")], "v")


def test_all_three_contracts_are_called_as_they_want():
    assert as_function(None, "serialize", "x") == (None, 1)
    assert called(lambda value: value.encode()) == b"v"
    assert called(SerializeWrapper(str.encode)) == b"v"
    assert called(TwoArguments()) == b"t:v"
    assert called(ThreeArguments()) == b"('t', [('h', b'1')], 'v')"


@pytest.mark.parametrize("given", [17, JsonSerializer, "utf-8"])
def test_what_is_no_serializer_is_named(given):
    with pytest.raises(errors.KafkaConfigurationError, match="value_serializer"):
        as_function(given, "serialize", "value_serializer")
