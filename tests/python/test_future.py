import logging
import threading

import pytest
from ringlog import errors
from ringlog.future import Future


def test_success_and_callbacks_in_order():
    seen = []
    future = Future()
    assert future.add_callback(lambda *got, **named: seen.append((got, named)), 1, k=2) is future
    future.add_errback(seen.append).add_both(seen.append)
    future.success("v")
    future.add_callback(seen.append)
    assert seen == [((1, "v"), {"k": 2}), "v", "v"]
    assert future.succeeded() and not future.failed() and future.get() == "v"


def test_failure():
    seen = []
    future = Future().add_callback(seen.append).add_both(seen.append)
    error = errors.RequestTimedOutError("slow")
    future.failure(error)
    assert seen == [error] and future.failed() and future.retriable()
    with pytest.raises(errors.RequestTimedOutError):
        future.get(0)
    assert isinstance(Future().failure(errors.Cancelled).exception, errors.Cancelled)


def test_done_once():
    with pytest.raises(errors.IllegalStateError):
        Future().success(1).success(2)


def test_get_waits_for_another_thread_and_no_longer_than_asked():
    future = Future()
    with pytest.raises(errors.KafkaTimeoutError):
        future.get(timeout=0.01)
    threading.Timer(0.05, future.success, ["late"]).start()
    assert future.get(timeout=5) == "late"


def test_chain():
    first, second, third = Future(), Future(), Future()
    first.chain(second)
    first.success(7)
    assert second.value == 7
    Future().failure(KeyError("k")).chain(third)
    assert isinstance(third.exception, KeyError)


def test_a_callback_that_raises_is_logged(caplog):
    with caplog.at_level(logging.ERROR):
        Future().add_callback(lambda value: 1 / 0).success(1)
    assert "ZeroDivisionError" in caplog.text


def test_callbacks_may_be_made_to_raise(monkeypatch):
    monkeypatch.setattr(Future, "error_on_callbacks", True)
    with pytest.raises(ZeroDivisionError):
        Future().success(1).add_callback(lambda value: 1 / 0)
