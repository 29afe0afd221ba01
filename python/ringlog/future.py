"""A result that arrives later, with kafka.future's contract."""

import logging
import threading
from abc import ABC

from ringlog import errors

log = logging.getLogger(__name__)


class Future(ABC):  # noqa: B024, the core's futures are registered as such
    """Done once, by `success` or `failure`, from any thread.

    Callbacks run in the thread that completes the future, or at once when it is done already. An
    exception of a callback is logged and goes no further, unless `error_on_callbacks` is set.
    """

    error_on_callbacks = False

    def __init__(self):
        self.is_done = False
        self.value = None
        self.exception = None
        self._callbacks = []
        self._changed = threading.Condition()

    def succeeded(self):
        return self.is_done and self.exception is None

    def failed(self):
        return self.is_done and self.exception is not None

    def retriable(self):
        return bool(getattr(self.exception, "retriable", False))

    def success(self, value):
        return self._complete(value, None)

    def failure(self, e):
        """`e`: an exception or an exception class."""
        exception = e() if isinstance(e, type) else e
        if not isinstance(exception, BaseException):
            raise errors.InvalidArgumentTypeError(
                f"a future fails with an exception, not with {e!r}"
            )
        return self._complete(None, exception)

    def get(self, timeout=None):
        """The value, or raises what it failed with; waits `timeout` seconds (None: for ever)."""
        with self._changed:
            if not self._changed.wait_for(lambda: self.is_done, timeout):
                raise errors.KafkaTimeoutError(f"Timeout after waiting for {timeout} secs.")
        if self.exception is not None:
            raise self.exception
        return self.value

    def add_callback(self, f, *args, **kwargs):
        """Calls `f(*args, value, **kwargs)` on success."""
        return self._add(lambda: self.exception is None and f(*args, self.value, **kwargs))

    def add_errback(self, f, *args, **kwargs):
        """Calls `f(*args, exception, **kwargs)` on failure."""
        return self._add(lambda: self.exception is not None and f(*args, self.exception, **kwargs))

    def add_both(self, f, *args, **kwargs):
        self.add_callback(f, *args, **kwargs)
        return self.add_errback(f, *args, **kwargs)

    def chain(self, future):
        """Completes `future` as this one is completed."""
        self.add_callback(future.success)
        return self.add_errback(future.failure)

    def _complete(self, value, exception):
        with self._changed:
            if self.is_done:
                raise errors.IllegalStateError("this future is done already")
            self.value, self.exception, self.is_done = value, exception, True
            callbacks, self._callbacks = self._callbacks, []
            self._changed.notify_all()
        for callback in callbacks:
            self._run(callback)
        return self

    def _add(self, callback):
        with self._changed:
            if not self.is_done:
                self._callbacks.append(callback)
                return self
        self._run(callback)
        return self

    def _run(self, callback):
        try:
            callback()
        except Exception:
            log.exception("a callback of a future raised")
            if self.error_on_callbacks:
                raise
