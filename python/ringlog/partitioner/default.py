import random

from ringlog.partitioner.abc import Partitioner, partitions_of


class DefaultPartitioner(Partitioner):
    """murmur2 of the key, as Kafka's Java producer does; without a key a random partition."""

    def partition(self, topic, key, serialized_key, value, serialized_value, cluster):
        return self(serialized_key, *partitions_of(topic, cluster))

    def __call__(self, key, all_partitions, available):
        if key is None:
            return random.choice(available or all_partitions)
        return all_partitions[(murmur2(key) & 0x7FFFFFFF) % len(all_partitions)]


def murmur2(data):
    """Kafka's 32-bit murmur2 of bytes, unsigned (org.apache.kafka.common.utils.Utils.murmur2)."""
    multiplier, mask = 0x5BD1E995, 0xFFFFFFFF
    length = len(data)
    whole = length - length % 4
    hashed = 0x9747B28C ^ length
    for start in range(0, whole, 4):
        word = int.from_bytes(data[start : start + 4], "little") * multiplier & mask
        word = (word ^ word >> 24) * multiplier & mask
        hashed = (hashed * multiplier & mask) ^ word
    if whole < length:
        hashed = (hashed ^ int.from_bytes(data[whole:], "little")) * multiplier & mask
    hashed = (hashed ^ hashed >> 13) * multiplier & mask
    return hashed ^ hashed >> 15
