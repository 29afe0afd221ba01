"""Addresses: what `bootstrap_servers` may say, and which log it means.

- `"file:./data"`: the log in that directory, opened in this process or by the one that has it open;
  `"file:./data?log.retention.ms=-1"` sets broker settings;
- `"memory:"`, `"memory:name"`: a log in this process's memory, shared by all clients that give the
  same name;
- `"localhost:9092"`, `"one:9092,two:9092"`, or a list of such: a cluster that speaks Kafka's
  protocol, over the network. Without a port: 9092. IPv6: `"[::1]:9092"`.
"""

import os
import re
from typing import NamedTuple
from urllib.parse import parse_qsl

from ringlog import errors

DEFAULT_PORT = 9092

_HOST = re.compile(
    r"(?:\[(?P<bracketed>[^\]]+)\]|(?P<host>[^:/\[\]\s]+))(?::(?P<port>[0-9]{1,5}))?"
)


class Address(NamedTuple):
    location: str  # "file:/absolute/path", "memory:name", or the hosts as they were given
    settings: dict  # broker settings, text to text
    hosts: tuple = ()  # of (host, port); none: a log of this process


def parse(servers, settings=None):
    """The Address of `bootstrap_servers`: a text, or a list of such."""
    given = [servers] if isinstance(servers, (str, os.PathLike)) else list(servers)
    given = [str(server) for server in given]
    local = [server for server in given if _is_local(server)]
    if not local:
        return _parse_hosts(servers, [host for server in given for host in server.split(",")])
    if len(given) > 1:
        raise errors.InvalidOptionError(
            f"bootstrap_servers={servers!r}: a log of this process stands alone"
        )
    return _parse_local(local[0], settings or {})


def of_directory(directory, settings=None):
    """The Address of a directory, or of an address as `parse` takes it."""
    text = os.fspath(directory)
    return parse(text if _is_local(text) else f"file:{text}", settings)


def _is_local(server):
    return server.startswith(("file:", "memory:"))


def _parse_hosts(servers, given):
    hosts = tuple(_parse_host(text.strip()) for text in given if text.strip())
    if not hosts:
        raise errors.InvalidOptionError(f"bootstrap_servers={servers!r} names no host")
    return Address(",".join(text.strip() for text in given), {}, hosts)


def _parse_host(text):
    found = _HOST.fullmatch(text)
    port = int(found["port"] or DEFAULT_PORT) if found else 0
    if not 0 < port < 2**16:
        raise errors.InvalidOptionError(
            f"bootstrap_servers: {text!r} is no HOST:PORT; write 'localhost:9092', '[::1]:9092', "
            "'file:DIRECTORY' or 'memory:'"
        )
    return found["bracketed"] or found["host"], port


def _parse_local(text, settings):
    scheme, _, rest = text.partition(":")
    place, _, query = rest.partition("?")
    try:
        named = dict(parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query)))
    except ValueError as error:
        raise errors.InvalidOptionError(
            f"{text!r}: {error}; settings are given as ?name=value&name=value"
        ) from None
    named.update({name: _as_text(value) for name, value in settings.items()})
    if scheme == "memory":
        return Address(f"memory:{place}", named)
    if place.startswith("///"):
        place = place[2:]
    if not place:
        raise errors.InvalidOptionError(f"{text!r} names no directory: write 'file:./data'")
    return Address("file:" + os.path.abspath(os.path.expanduser(place)), named)


def _as_text(value):
    return str(value).lower() if isinstance(value, bool) else str(value)
