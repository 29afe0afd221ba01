"""What the examples share: a log for one run, topics, producers, and reading to the end."""

import argparse
import tempfile
from contextlib import contextmanager

import ringlog
from ringlog import DefaultSerializer, JsonSerializer, KafkaConsumer, KafkaProducer
from ringlog.admin import KafkaAdminClient, NewTopic


@contextmanager
def embedded_log(description):
    """The address of a log in the directory named on the command line, else in a temporary one."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("directory", nargs="?", help="keep the log here (default: throw it away)")
    directory = parser.parse_args().directory
    with tempfile.TemporaryDirectory(prefix="ringlog-example-") as temporary:
        address = f"file:{directory or temporary}"
        try:
            yield address
        finally:
            ringlog.close(address)
    if directory:
        print(f"\nThe log is kept in {directory}; run the example again and it goes on there.")


def create_topics(address, **partitions):
    """Topics by name (with _ for -) and number of partitions; one that is there already stays."""
    topics = [NewTopic(name.replace("_", "-"), count, 1) for name, count in partitions.items()]
    with KafkaAdminClient(bootstrap_servers=address) as admin:
        admin.create_topics(topics, raise_errors=False)


def json_producer(address, **options):
    """A producer of JSON values under text keys."""
    return KafkaProducer(
        bootstrap_servers=address,
        key_serializer=DefaultSerializer(),
        value_serializer=JsonSerializer(),
        **options,
    )


def json_consumer(address, *topics, group=None, **options):
    """A consumer of JSON values from the start of the topics, or from where its group stopped.

    Its iteration ends when nothing has come for 300 ms: the log is drained.
    """
    return KafkaConsumer(
        *topics,
        bootstrap_servers=address,
        group_id=group,
        auto_offset_reset="earliest",
        consumer_timeout_ms=300,
        key_deserializer=DefaultSerializer(),
        value_deserializer=JsonSerializer(),
        **options,
    )


def heading(text):
    print(f"\n{text}\n{'-' * len(text)}")
