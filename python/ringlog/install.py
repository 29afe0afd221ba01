"""`import kafka` means ringlog in this process."""

import importlib
import sys
from importlib.machinery import ModuleSpec

from ringlog import address, config, errors

_KAFKA = "kafka"
_RINGLOG = __name__.partition(".")[0]


def install_as_kafka(bootstrap_servers=None, consumer_timeout_ms=None):
    """Makes `import kafka`, and of its submodules, mean ringlog in this process.

    `bootstrap_servers` (such as "file:./data"): every client uses it, whatever address the script
    names. `consumer_timeout_ms`: the default of consumers that set none, so that `for message in
    consumer` ends when the log is drained. None leaves each as it was at first: the script's
    addresses, and waiting for ever. A kafka-python that was imported before is replaced in
    `sys.modules`.
    """
    if bootstrap_servers is not None:
        address.parse(bootstrap_servers)
    if consumer_timeout_ms is not None and not consumer_timeout_ms >= 0:
        raise errors.InvalidArgumentValueError(
            f"consumer_timeout_ms={consumer_timeout_ms!r}: 0 or more is possible"
        )
    config.process_defaults.update(
        bootstrap_servers=bootstrap_servers, consumer_timeout_ms=consumer_timeout_ms
    )
    for name in [name for name in sys.modules if name.partition(".")[0] == _KAFKA]:
        del sys.modules[name]
    if not any(isinstance(finder, _KafkaFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _KafkaFinder())


class _KafkaFinder:
    """Finds `kafka.x` as the very module `ringlog.x`, so that its classes exist once."""

    def find_spec(self, name, path=None, target=None):
        top, _, rest = name.partition(".")
        if top != _KAFKA:
            return None
        ours = f"{_RINGLOG}.{rest}" if rest else _RINGLOG
        try:
            importlib.import_module(ours)
        except ModuleNotFoundError as error:
            if error.name != ours:
                raise
            return None
        return ModuleSpec(name, self, origin=ours)

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        sys.modules[module.__name__] = sys.modules[module.__spec__.origin]
