"""Kafka in this process: the API of kafka-python on a log in a directory.

A first record:

    from ringlog import KafkaProducer

    KafkaProducer(bootstrap_servers="file:./data").send("orders", b"hello").get()
"""

import logging

from ringlog import _native
from ringlog.admin import KafkaAdminClient
from ringlog.consumer import KafkaConsumer
from ringlog.consumer.subscription_state import (
    AsyncConsumerRebalanceListener,
    ConsumerRebalanceListener,
)
from ringlog.enums import IsolationLevel, OffsetSpec
from ringlog.install import install_as_kafka as install_as_kafka
from ringlog.lifetime import backup as backup
from ringlog.lifetime import close as close
from ringlog.lifetime import open as open
from ringlog.producer import KafkaProducer
from ringlog.serializer import DefaultSerializer, Deserializer, JsonSerializer, Serializer
from ringlog.structs import (
    ConsumerGroupMetadata,
    OffsetAndMetadata,
    SubscriptionPattern,
    TopicPartition,
    TopicPartitionReplica,
)
from ringlog.tables import Table as Table

__all__ = [
    "KafkaAdminClient",
    "KafkaConsumer",
    "KafkaProducer",
    "AsyncConsumerRebalanceListener",
    "ConsumerRebalanceListener",
    "DefaultSerializer",
    "JsonSerializer",
    "Serializer",
    "Deserializer",
    "ConsumerGroupMetadata",
    "OffsetAndMetadata",
    "SubscriptionPattern",
    "TopicPartition",
    "TopicPartitionReplica",
    "IsolationLevel",
    "OffsetSpec",
]

__version__ = _native.version

logging.getLogger(__name__).addHandler(logging.NullHandler())
