import base64
import time
import uuid

from ringlog import errors
from ringlog.admin.config_resource import ConfigSourceType, ConfigType
from ringlog.admin.new_topic import NewTopic
from ringlog.admin.response import Response, checked
from ringlog.enums import IsolationLevel
from ringlog.structs import OffsetAndTimestamp, TopicPartition


class TopicAdmin:
    """Topics, partitions and their records; part of KafkaAdminClient."""

    def list_topics(self):
        """List of the names of all topics, internal ones too."""
        return self._native.list_topics()

    def describe_topics(self, topics=None):
        """List of dicts, for names or uuid.UUIDs; None: all. Keys of kafka-python 3.x and 2.x are
        both there.

        name, topic_id, error_code, is_internal, partitions: [{partition_index, leader_id,
        leader_epoch, replica_nodes, isr_nodes, offline_replicas, error_code}].
        """
        if topics is None or not any(isinstance(topic, uuid.UUID) for topic in topics):
            return [_topic(found) for found in self._native.describe_topics(_names(topics))]
        by_id = {topic["topic_id"]: topic["name"] for topic in self.describe_topics()}
        unknown = [topic for topic in topics if isinstance(topic, uuid.UUID) and topic not in by_id]
        if unknown:
            raise errors.make_error(100, f"no topic has the id {unknown[0]}")
        return self.describe_topics([by_id.get(topic, topic) for topic in topics])

    def create_topics(
        self,
        new_topics,
        timeout_ms=None,
        validate_only=False,
        raise_errors=True,
        wait_for_metadata=False,
    ):
        """Creates topics: a list of names or NewTopics, or {name: {num_partitions,
        replication_factor, assignments, configs}}, each key optional.

        {"topics": [{name, topic_id, error_code, error_message, num_partitions, replication_factor,
        configs}]}; the first error is raised unless `raise_errors` is False.
        """
        wanted = _new_topics(new_topics)
        created = self._native.create_topics(
            wanted, self._timeout_ms(timeout_ms), bool(validate_only)
        )
        result = Response(topics=[_with_uuid(topic) for topic in checked(created, raise_errors)])
        if wait_for_metadata and not validate_only:
            self.wait_for_topics([topic[0] for topic in wanted])
        return result

    def wait_for_topics(self, topic_names, timeout_ms=10000):
        """Until every partition of the topics has a leader; KafkaTimeoutError."""
        deadline = time.monotonic() + timeout_ms / 1000
        while True:
            waiting = [
                topic["name"]
                for topic in self.describe_topics(list(topic_names))
                if not _is_ready(topic)
            ]
            if not waiting:
                return
            if time.monotonic() >= deadline:
                raise errors.KafkaTimeoutError(
                    f"not ready after {timeout_ms} ms: {', '.join(waiting)}"
                )
            time.sleep(0.05)

    def delete_topics(self, topics, timeout_ms=None, raise_errors=True):
        """By name or uuid.UUID: {"topics": [{name, topic_id, error_code, error_message}]}."""
        if any(isinstance(topic, uuid.UUID) for topic in topics):
            topics = [topic["name"] for topic in self.describe_topics(topics)]
        deleted = self._native.delete_topics(_names(topics), self._timeout_ms(timeout_ms))
        return Response(topics=[_with_uuid(topic) for topic in checked(deleted, raise_errors)])

    def create_partitions(
        self, topic_partitions, timeout_ms=None, validate_only=False, raise_errors=True
    ):
        """{topic: total, NewPartitions or {count, assignments}}: {"results": [{name, ...}]}."""
        wanted = [(name, *_new_partitions(given)) for name, given in topic_partitions.items()]
        results = self._native.create_partitions(
            wanted, self._timeout_ms(timeout_ms), bool(validate_only)
        )
        return Response(results=checked(results, raise_errors))

    def delete_records(self, records_to_delete, timeout_ms=None, partition_leader_id=None):
        """{TopicPartition: first offset to keep; -1: none}: {TopicPartition: {low_watermark}}."""
        found = self._native.delete_records(
            {TopicPartition(*partition): offset for partition, offset in records_to_delete.items()},
            self._timeout_ms(timeout_ms),
        )
        for partition, result in found.items():
            if result["error_code"]:
                raise errors.make_error(
                    result["error_code"],
                    f"records of {partition.topic}-{partition.partition} were not deleted",
                )
        return {
            partition: Response(result, partition_index=partition.partition)
            for partition, result in found.items()
        }

    def list_partition_offsets(
        self,
        topic_partition_specs,
        isolation_level=IsolationLevel.READ_UNCOMMITTED,
        timeout_ms=None,
    ):
        """{TopicPartition: OffsetSpec or a time in ms}: {TopicPartition: OffsetAndTimestamp}."""
        found = self._native.list_offsets(
            {
                TopicPartition(*partition): int(spec)
                for partition, spec in topic_partition_specs.items()
            },
            IsolationLevel.value_for(isolation_level),
        )
        for partition, (*_, error_code) in found.items():
            if error_code:
                raise errors.make_error(
                    error_code, f"no offset of {partition.topic}-{partition.partition}"
                )
        return {
            partition: OffsetAndTimestamp(offset, timestamp, epoch if epoch >= 0 else None)
            for partition, (offset, timestamp, epoch, _) in found.items()
        }


def _names(topics):
    if topics is None:
        return None
    if isinstance(topics, str) or not all(isinstance(topic, str) for topic in topics):
        raise errors.InvalidArgumentTypeError(f"topics={topics!r}: a list of names is wanted")
    return list(topics)


def _topic(found):
    """A described topic with the keys of kafka-python 2.x beside those of 3.x."""
    for partition in found["partitions"]:
        partition.update(
            partition=partition["partition_index"],
            leader=partition["leader_id"],
            replicas=partition["replica_nodes"],
            isr=partition["isr_nodes"],
        )
    return _with_uuid(Response(found, topic=found["name"]))


def _with_uuid(topic):
    """Kafka's text form of a topic id (base64 without padding) as uuid.UUID."""
    if isinstance(topic.get("topic_id"), str) and topic["topic_id"]:
        topic["topic_id"] = uuid.UUID(bytes=base64.urlsafe_b64decode(topic["topic_id"] + "=="))
    if topic.get("configs"):
        topic["configs"] = {
            name: _created_config(value) for name, value in topic["configs"].items()
        }
    return topic


def _created_config(value):
    if isinstance(value, dict):
        value.update(config_source=ConfigSourceType(value["config_source"]).name)
        if "config_type" in value:
            value.update(config_type=ConfigType(value["config_type"]).name)
    return value


def _is_ready(topic):
    partitions = topic["partitions"]
    return (
        bool(partitions)
        and not topic["error_code"]
        and all(
            partition["leader_id"] >= 0 and not partition["error_code"] for partition in partitions
        )
    )


def _new_topics(given):
    if isinstance(given, dict):
        topics = [
            NewTopic(
                name,
                data.get("num_partitions", -1),
                data.get("replication_factor", -1),
                data.get("assignments"),
                data.get("configs"),
            )
            for name, data in given.items()
        ]
    elif isinstance(given, str):
        raise errors.InvalidArgumentTypeError(f"new_topics={given!r}: a list is wanted")
    else:
        topics = [NewTopic(topic) if isinstance(topic, str) else topic for topic in given]
    if not topics or not all(isinstance(topic, NewTopic) for topic in topics):
        raise errors.InvalidArgumentValueError(
            f"new_topics={given!r}: a list of names or NewTopics is wanted, or {{name: options}}"
        )
    return [
        (
            topic.name,
            topic.num_partitions,
            topic.replication_factor,
            topic.replica_assignments or None,
            {name: str(value) for name, value in topic.topic_configs.items()},
        )
        for topic in topics
    ]


def _new_partitions(given):
    if isinstance(given, int):
        return given, None
    if isinstance(given, dict):
        return given["count"], given.get("assignments")
    return given.total_count, given.new_assignments
