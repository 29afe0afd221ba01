"""Addresses: what `bootstrap_servers` may say, and which log it means.

- `"file:./data"`: the log in that directory, opened in this process;
  `"file:./data?log.retention.ms=-1"` sets broker settings;
- `"memory:"`, `"memory:name"`: a log in this process's memory, shared by all clients that give the
  same name.
"""

import os
from typing import NamedTuple
from urllib.parse import parse_qsl

from ringlog import errors


class Address(NamedTuple):
    location: str  # "file:/absolute/path" or "memory:name"
    settings: dict  # broker settings, text to text


def parse(servers, settings=None):
    """The Address of `bootstrap_servers`: a text, or a list of one."""
    given = [servers] if isinstance(servers, (str, os.PathLike)) else list(servers)
    local = [str(server) for server in given if _is_local(str(server))]
    if not local:
        raise errors.NotYetSupportedError(
            f"bootstrap_servers={servers!r} names hosts; this version opens logs in this process "
            "only: give 'file:DIRECTORY' or 'memory:', or run an unchanged script by "
            "`python -m ringlog run script.py`"
        )
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
