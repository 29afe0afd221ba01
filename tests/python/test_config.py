import math
import os

import pytest
from ringlog import address, config, errors


def parse(client="KafkaProducer", **given):
    return config.parse(client, {"bootstrap_servers": "memory:", **given})[0]


def producer(**given):
    options = parse(**given)
    config.check_producer(options, given)
    return options


def consumer(**given):
    options = parse("KafkaConsumer", **given)
    config.check_consumer(options, given)
    return options


def test_defaults_are_those_of_kafka_python_3():
    kafka = pytest.importorskip("kafka")
    different = {"bootstrap_servers", "client_id", "api_version", "selector", "kafka_client"}
    for client, kafkas in (
        ("KafkaProducer", kafka.KafkaProducer),
        ("KafkaConsumer", kafka.KafkaConsumer),
        ("KafkaAdminClient", kafka.KafkaAdminClient),
    ):
        ours = parse(client)
        for name, default in kafkas.DEFAULT_CONFIG.items():
            assert name in ours, f"{client} lacks {name}"
            if name in different or callable(default) or hasattr(default, "partition"):
                continue
            if name == "partition_assignment_strategy":
                assert [kind.name for kind in ours[name]] == [kind.name for kind in default]
            elif isinstance(default, (int, float, str, bool)):
                assert ours[name] == default, f"{client} {name}"


def test_unknown_option_names_the_nearest():
    with pytest.raises(errors.KafkaConfigurationError, match="did you mean 'batch_size'"):
        parse(batchsize=1)
    with pytest.raises(AssertionError, match="no option 'zzz'$"):
        parse(zzz=1)
    with pytest.raises(ValueError, match="did you mean 'group_id'"):
        parse("KafkaConsumer", **{"group.id": "g"})


@pytest.mark.parametrize(
    "name, value, reason",
    [
        ("acks", 2, "0, 1, -1 or 'all'"),
        ("acks", True, "0, 1, -1 or 'all'"),
        ("compression_type", "brotli", "'zstd'"),
        ("linger_ms", -1, "from 0"),
        ("linger_ms", "5", "whole number"),
        ("linger_ms", 1.5, "whole number"),
        ("batch_size", 2**40, "to 2147483647"),
        ("max_request_size", True, "whole number"),
        ("max_request_size", math.nan, "whole number"),
        ("enable_idempotence", "yes", "True or False"),
        ("client_id", 7, "text"),
        ("security_protocol", "TLS", "'SASL_SSL'"),
    ],
)
def test_bad_values_of_a_producer(name, value, reason):
    with pytest.raises(errors.KafkaConfigurationError, match=f"{name}=.*{reason}"):
        producer(**{name: value})


@pytest.mark.parametrize(
    "given, reason",
    [
        ({"auto_offset_reset": "first"}, "'earliest'"),
        ({"isolation_level": "serializable"}, "READ_COMMITTED"),
        ({"partition_assignment_strategy": []}, "at least one"),
        ({"partition_assignment_strategy": ["sticky"]}, "RoundRobin"),
        ({"fetch_max_wait_ms": 40000}, "does not hold"),
        ({"group_id": "g", "heartbeat_interval_ms": 50000}, "session_timeout_ms"),
        ({"group_instance_id": "i"}, "without group_id"),
        ({"max_poll_records": 0}, "from 1"),
        ({"default_offset_commit_callback": None}, "function"),
    ],
)
def test_bad_values_of_a_consumer(given, reason):
    with pytest.raises(errors.KafkaConfigurationError, match=reason):
        consumer(**given)


def test_values_are_kept_in_one_form():
    assert producer(acks="all")["acks"] == -1
    assert producer(linger_ms=5.0)["linger_ms"] == 5
    assert consumer(auto_offset_reset="smallest")["auto_offset_reset"] == "earliest"
    assert consumer(isolation_level=1)["isolation_level"] == "read_committed"
    assert consumer(consumer_timeout_ms=math.inf)["consumer_timeout_ms"] == math.inf
    assert producer()["api_version"] == (4, 3)


def test_options_of_a_network_and_of_kafka_python_2_are_taken():
    producer(ssl_cafile="ca.pem", sasl_mechanism="PLAIN", api_version=(2, 5), buffer_memory=2**25)
    consumer(api_version_auto_timeout_ms=1, security_protocol="SASL_SSL", sock_chunk_bytes=4096)


def test_idempotence_gives_way_unless_it_was_asked_for():
    assert producer()["enable_idempotence"] is True
    assert producer(acks=1)["enable_idempotence"] is False
    assert producer(retries=0)["enable_idempotence"] is False
    with pytest.raises(errors.KafkaConfigurationError, match="wants acks='all'"):
        producer(acks=1, enable_idempotence=True)


def test_transactions_are_refused_by_name():
    with pytest.raises(errors.UnsupportedVersionError, match="transactional_id"):
        producer(transactional_id="t")


@pytest.mark.parametrize(
    "given, hosts",
    [
        ("localhost", [("localhost", 9092)]),
        ("a:1,b:2", [("a", 1), ("b", 2)]),
        (["a:1", "b:2, c"], [("a", 1), ("b", 2), ("c", 9092)]),
        ("[::1]:9094", [("::1", 9094)]),
        (["[fe80::1]"], [("fe80::1", 9092)]),
    ],
)
def test_hosts(given, hosts):
    assert list(address.parse(given).hosts) == hosts


@pytest.mark.parametrize("bad", ["", [], "a:b", "a:0", "a:70000", "::1:9092", "http://a:1", "a b"])
def test_what_is_no_host_is_refused_with_what_to_write(bad):
    with pytest.raises(errors.KafkaConfigurationError, match="bootstrap_servers"):
        address.parse(bad)


@pytest.mark.parametrize(
    "name, value",
    [
        ("security_protocol", "SSL"),
        ("ssl_cafile", "ca.pem"),
        ("sasl_mechanism", "PLAIN"),
        ("socks5_proxy", "socks5://a:1"),
    ],
)
def test_what_no_connection_does_is_refused_by_name(name, value):
    with pytest.raises(errors.UnsupportedVersionError, match=name):
        producer(bootstrap_servers="localhost:1", **{name: value})


@pytest.mark.parametrize(
    "given, location, settings",
    [
        ("file:/var/log/x", "file:/var/log/x", {}),
        ("file:///var/log/x", "file:/var/log/x", {}),
        (["file:/a/../b"], "file:/b", {}),
        ("file:/a?log.retention.ms=-1&x=", "file:/a", {"log.retention.ms": "-1", "x": ""}),
        ("memory:", "memory:", {}),
        ("memory:tests?num.partitions=3", "memory:tests", {"num.partitions": "3"}),
    ],
)
def test_local_addresses(given, location, settings):
    assert address.parse(given) == (location, settings, ())


def test_relative_paths_are_resolved_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert address.parse("file:./data").location == f"file:{tmp_path}/data"
    assert address.of_directory("data").location == f"file:{tmp_path}/data"
    assert address.of_directory(tmp_path).location == f"file:{tmp_path}"
    assert address.parse("file:~/data").location == "file:" + os.path.expanduser("~/data")


def test_settings_beside_the_address_win():
    log = address.of_directory("memory:x?a=1&b=2", {"b": 3, "c": True})
    assert log.settings == {"a": "1", "b": "3", "c": "true"}


@pytest.mark.parametrize("bad", ["file:", "file:/a?novalue", ["file:/a", "file:/b"]])
def test_bad_addresses(bad):
    with pytest.raises(errors.KafkaConfigurationError):
        address.parse(bad)
