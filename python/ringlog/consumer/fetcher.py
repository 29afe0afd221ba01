from ringlog._native import ConsumerRecord

__all__ = ["ConsumerRecord"]
