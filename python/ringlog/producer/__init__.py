from ringlog.producer.kafka import KafkaProducer

__all__ = ["KafkaProducer"]
