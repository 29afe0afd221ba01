from ringlog.consumer.group import KafkaConsumer

__all__ = ["KafkaConsumer"]
