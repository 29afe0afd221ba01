from ringlog.consumer.fetcher import ConsumerRecord as ConsumerRecord
from ringlog.consumer.group import KafkaConsumer

__all__ = ["KafkaConsumer"]
