"""Options of the three clients: names, defaults (those of kafka-python 3.x), kinds and ranges.

Options that only concern a network (sockets, reconnecting) are checked and kept; on a log of a
directory they act when another process has it open, and do nothing else. TLS, SASL and proxies are
refused where hosts are named. Options of kafka-python 2.x that 3.x dropped are accepted too.
"""

import difflib
import math
from collections.abc import Callable
from typing import Any, NamedTuple

from ringlog import address, errors
from ringlog.coordinator.assignors.range import RangePartitionAssignor
from ringlog.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from ringlog.enums import IsolationLevel

API_VERSION = (4, 3)
"""What `config["api_version"]` says: the Kafka whose behaviour the embedded broker has."""

COMPRESSION_TYPES = ("gzip", "snappy", "lz4", "zstd")
INT_MAX = 2**31 - 1
LONG_MAX = 2**63 - 1


class Option(NamedTuple):
    default: Any
    check: Callable  # returns the value as it is kept, or raises ValueError with the reason


def number(least=0, most=INT_MAX, infinite=False):
    def check(value):
        if infinite and value == math.inf:
            return value
        if (
            isinstance(value, bool)
            or not isinstance(value, (int, float))
            or value != value
            or value != int(value)
        ):
            raise ValueError("a whole number is wanted")
        if not least <= value <= most:
            raise ValueError(f"from {least} to {most} is possible")
        return int(value)

    return check


def optional(check):
    return lambda value: None if value is None else check(value)


def one_of(*choices):
    def check(value):
        if value not in choices:
            raise ValueError("one of " + ", ".join(map(repr, choices)) + " is possible")
        return value

    return check


def flag(value):
    if not isinstance(value, (bool, int)) or value not in (0, 1):
        raise ValueError("True or False is wanted")
    return bool(value)


def text(value):
    if not isinstance(value, str):
        raise ValueError(f"text is wanted, this is {type(value).__name__}")
    return value


def function(value):
    if not callable(value):
        raise ValueError("a function is wanted")
    return value


def anything(value):
    return value


def acks(value):
    if isinstance(value, bool) or value not in (0, 1, -1, "all"):
        raise ValueError("0, 1, -1 or 'all' is possible")
    return -1 if value == "all" else value


def auto_offset_reset(value):
    renamed = {"smallest": "earliest", "largest": "latest"}.get(value, value)
    return one_of("earliest", "latest", "none")("none" if renamed is None else renamed)


def group_protocol(value):
    return one_of("classic", "consumer")(text(value).lower())


def isolation_level(value):
    return IsolationLevel.build_from(value).name.lower()


def assignors(value):
    named = []
    for assignor in value:
        name = assignor if isinstance(assignor, str) else getattr(assignor, "name", None)
        if name not in ("range", "roundrobin"):
            raise ValueError(
                "this version has RangePartitionAssignor and RoundRobinPartitionAssignor only"
            )
        named.append(assignor)
    if not named:
        raise ValueError("at least one assignor is wanted")
    return named


_EVERYWHERE = {
    "bootstrap_servers": Option("localhost", anything),
    "client_id": Option(None, optional(text)),
    "request_timeout_ms": Option(30000, number(1)),
    "default_api_timeout_ms": Option(60000, number(0)),
    "retry_backoff_ms": Option(100, number()),
    "metadata_max_age_ms": Option(300000, number()),
    "connections_max_idle_ms": Option(540000, number()),
    "reconnect_backoff_ms": Option(50, number()),
    "reconnect_backoff_max_ms": Option(30000, number()),
    "max_in_flight_requests_per_connection": Option(5, number(1)),
    "receive_message_max_bytes": Option(100000000, number(1)),
    "receive_buffer_bytes": Option(None, optional(number(-1))),
    "send_buffer_bytes": Option(None, optional(number(-1))),
    "socket_options": Option([(6, 1, 1)], anything),
    "client_dns_lookup": Option(
        "use_all_dns_ips",
        one_of("use_all_dns_ips", "resolve_canonical_bootstrap_servers_only", "default"),
    ),
    "security_protocol": Option(
        "PLAINTEXT", one_of("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
    ),
    "api_version": Option(None, anything),
    "bootstrap_timeout_ms": Option(30000, number()),
    "api_version_auto_timeout_ms": Option(2000, number()),
    "metric_reporters": Option([], anything),
    "metrics_enabled": Option(True, flag),
    "metrics_num_samples": Option(2, number(1)),
    "metrics_sample_window_ms": Option(30000, number(1)),
    "socket_connection_setup_timeout_ms": Option(10000, number()),
    "socket_connection_setup_timeout_max_ms": Option(30000, number()),
    "sasl_kerberos_service_name": Option("kafka", anything),
    "ssl_check_hostname": Option(True, flag),
}

#: What connections cannot do yet: None only.
_NOT_ON_A_CONNECTION = (
    "ssl_context",
    "ssl_cafile",
    "ssl_certfile",
    "ssl_keyfile",
    "ssl_crlfile",
    "ssl_password",
    "ssl_ciphers",
    "sasl_mechanism",
    "sasl_plain_username",
    "sasl_plain_password",
    "sasl_kerberos_name",
    "sasl_kerberos_domain_name",
    "sasl_oauth_token_provider",
    "proxy_url",
    "socks5_proxy",
)

_EVERYWHERE.update(
    (name, Option(None, anything))
    for name in (
        *_NOT_ON_A_CONNECTION,
        "kafka_client",
        "net",
        "selector",
        "sock_chunk_bytes",
        "sock_chunk_buffer_count",
    )
)

_PRODUCER = {
    **_EVERYWHERE,
    "key_serializer": Option(None, anything),
    "value_serializer": Option(None, anything),
    "enable_idempotence": Option(True, flag),
    "transactional_id": Option(None, optional(text)),
    "transaction_timeout_ms": Option(60000, number(1)),
    "delivery_timeout_ms": Option(120000, number(1)),
    "acks": Option(-1, acks),
    "compression_type": Option(None, optional(one_of(*COMPRESSION_TYPES))),
    "retries": Option(math.inf, number(infinite=True)),
    "batch_size": Option(16384, number()),
    "linger_ms": Option(0, number()),
    "partitioner": Option(None, anything),
    "max_block_ms": Option(60000, number()),
    "max_request_size": Option(1048576, number(1)),
    "buffer_memory": Option(32 * 2**20, number(1, LONG_MAX)),
    "allow_auto_create_topics": Option(True, flag),
    "bootstrap_topics_filter": Option(None, anything),
}

_CONSUMER = {
    **_EVERYWHERE,
    "client_rack": Option("", text),
    "group_id": Option(None, optional(text)),
    "group_instance_id": Option(None, optional(text)),
    "group_protocol": Option("classic", group_protocol),
    "group_remote_assignor": Option(None, optional(text)),
    "key_deserializer": Option(None, anything),
    "value_deserializer": Option(None, anything),
    "enable_incremental_fetch_sessions": Option(True, flag),
    "fetch_max_wait_ms": Option(500, number()),
    "fetch_min_bytes": Option(1, number()),
    "fetch_max_bytes": Option(52428800, number()),
    "max_partition_fetch_bytes": Option(1048576, number()),
    "auto_offset_reset": Option("latest", auto_offset_reset),
    "enable_auto_commit": Option(True, flag),
    "auto_commit_interval_ms": Option(5000, number(1)),
    "default_offset_commit_callback": Option(lambda offsets, response: True, function),
    "check_crcs": Option(True, flag),
    "isolation_level": Option("read_uncommitted", isolation_level),
    "allow_auto_create_topics": Option(True, flag),
    "partition_assignment_strategy": Option(
        (RangePartitionAssignor, RoundRobinPartitionAssignor), assignors
    ),
    "max_poll_records": Option(500, number(1)),
    "max_poll_interval_ms": Option(300000, number(1)),
    "session_timeout_ms": Option(45000, number(1)),
    "heartbeat_interval_ms": Option(3000, number(1)),
    "consumer_timeout_ms": Option(math.inf, number(infinite=True)),
    "metric_group_prefix": Option("consumer", text),
    "exclude_internal_topics": Option(True, flag),
}

_TABLES = {"KafkaProducer": _PRODUCER, "KafkaConsumer": _CONSUMER, "KafkaAdminClient": _EVERYWHERE}

_NETWORK = (
    "request_timeout_ms",
    "default_api_timeout_ms",
    "retry_backoff_ms",
    "reconnect_backoff_ms",
    "reconnect_backoff_max_ms",
    "metadata_max_age_ms",
    "connections_max_idle_ms",
    "socket_connection_setup_timeout_ms",
    "receive_message_max_bytes",
    "max_in_flight_requests_per_connection",
    "bootstrap_timeout_ms",
)

_RISING_WAITS = ("fetch_max_wait_ms", "request_timeout_ms", "connections_max_idle_ms")

process_defaults = {"bootstrap_servers": None, "consumer_timeout_ms": None}
"""Set by install_as_kafka for every client of the process."""


def defaults(client):
    """{option: default} of a client ("KafkaProducer", ...)."""
    return {name: option.default for name, option in _TABLES[client].items()}


def parse(client, given):
    """The options in force of a client ("KafkaProducer", ...), and its Address."""
    table = _TABLES[client]
    for name in given:
        if name not in table:
            raise errors.InvalidOptionError(
                f"{client} has no option {name!r}{_nearest(name, table)}"
            )
    config = defaults(client)
    if "consumer_timeout_ms" in table and process_defaults["consumer_timeout_ms"] is not None:
        config["consumer_timeout_ms"] = process_defaults["consumer_timeout_ms"]
    for name, value in given.items():
        try:
            config[name] = table[name].check(value)
        except (ValueError, TypeError) as reason:
            raise errors.InvalidOptionError(f"{name}={value!r}: {_reason(reason)}") from None
    if process_defaults["bootstrap_servers"] is not None:
        config["bootstrap_servers"] = process_defaults["bootstrap_servers"]
    log = address.parse(config["bootstrap_servers"])
    if log.hosts:
        _refuse_what_no_connection_does(config)
    config["api_version"] = API_VERSION
    return config, log


def opening(config, log):
    """What the core needs of the options to open the log, or to reach its owner or the cluster."""
    network = {
        **{name: config[name] for name in _NETWORK},
        "hosts": log.hosts,
        "client_id": config["client_id"] or "ringlog",
        "send_buffer_bytes": max(config["send_buffer_bytes"] or 0, 0),
        "receive_buffer_bytes": max(config["receive_buffer_bytes"] or 0, 0),
        "max_request_size": config.get("max_request_size", _PRODUCER["max_request_size"][0]),
        "enable_incremental_fetch_sessions": config.get("enable_incremental_fetch_sessions", True),
    }
    return {"address": log.location, "broker_config": log.settings, "network": network}


def _refuse_what_no_connection_does(config):
    if config["security_protocol"] != "PLAINTEXT":
        raise errors.NotYetSupportedError(
            f"security_protocol={config['security_protocol']!r}: this version connects in plain "
            "text only"
        )
    for name in _NOT_ON_A_CONNECTION:
        if config[name] is not None:
            raise errors.NotYetSupportedError(
                f"{name}: this version connects in plain text, without authentication and directly"
            )


def check_producer(config, given):
    """What must hold between options; switches idempotence off where 3.x does so silently."""
    if config["transactional_id"] is not None:
        raise errors.NotYetSupportedError(
            "transactional_id: this version does not write transactions yet; "
            "without it the producer is idempotent"
        )
    conflicts = [
        reason
        for broken, reason in (
            (config["acks"] != -1, "acks='all'"),
            (config["retries"] == 0, "retries above 0"),
            (
                config["max_in_flight_requests_per_connection"] > 5,
                "max_in_flight_requests_per_connection up to 5",
            ),
        )
        if broken
    ]
    if config["enable_idempotence"] and conflicts:
        if given.get("enable_idempotence"):
            raise errors.InvalidOptionError(
                "enable_idempotence=True wants " + " and ".join(conflicts)
            )
        config["enable_idempotence"] = False


_OF_CLASSIC_GROUPS = (
    "partition_assignment_strategy",
    "session_timeout_ms",
    "heartbeat_interval_ms",
)


def check_consumer(config, given):
    """What must hold between a consumer's options."""
    if config["group_protocol"] == "consumer":
        for name in given:
            if name in _OF_CLASSIC_GROUPS:
                raise errors.InvalidOptionError(
                    f"{name} is the broker's to say with group_protocol='consumer': leave it out"
                    + (", or name group_remote_assignor" if "strategy" in name else "")
                )
    elif config["group_remote_assignor"] is not None:
        raise errors.InvalidOptionError("group_remote_assignor wants group_protocol='consumer'")
    waits = [config[name] for name in _RISING_WAITS]
    if not waits[0] < waits[1] < waits[2]:
        raise errors.InvalidOptionError(f"{' < '.join(_RISING_WAITS)} does not hold: {waits}")
    if (
        config["group_id"] is not None
        and not config["heartbeat_interval_ms"] < config["session_timeout_ms"]
    ):
        raise errors.InvalidOptionError(
            "heartbeat_interval_ms must be below session_timeout_ms: "
            f"{config['heartbeat_interval_ms']}, {config['session_timeout_ms']}"
        )
    if config["group_instance_id"] is not None and config["group_id"] is None:
        raise errors.InvalidOptionError("group_instance_id is given without group_id")


def _nearest(name, table):
    near = difflib.get_close_matches(name.replace(".", "_").lower(), table, n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""


def _reason(error):
    return str(error.args[0]) if error.args else type(error).__name__
