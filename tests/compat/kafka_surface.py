"""Writes down what the package `kafka` offers in this process, as JSON on standard output.

    python kafka_surface.py FOLDER            # the kafka-python that stands in FOLDER
    python kafka_surface.py --ringlog FILE    # ringlog under that name: what the surface FILE names

A surface is {module: {name: entry}}. An entry has a `kind`; a class its `bases` (names of all
classes above it), `members` (as entries), `fields` of a tuple, `values` of an enum; a function its
`parameters`; a plain value its `value`.
"""

import enum
import importlib
import inspect
import io
import json
import pkgutil
import re
import sys
import warnings

SPECIAL = {"__enter__", "__exit__", "__iter__", "__next__", "__call__", "__init__"}


def module_names():
    import kafka

    found = pkgutil.walk_packages(kafka.__path__, "kafka.", onerror=lambda name: None)
    return ["kafka", *(each.name for each in found if "._" not in each.name)]


def surface(names):
    """`names`: {module: names, or None for all that it offers}."""
    described = {}
    for name, wanted in names.items():
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        described[name] = {
            each: entry(getattr(module, each))
            for each in (offered(module) if wanted is None else wanted)
            if hasattr(module, each)
        }
    return described


def offered(module):
    """What `module` defines or shows of its package; without modules and what it only imports."""
    if hasattr(module, "__all__"):
        return sorted(name for name in module.__all__ if hasattr(module, name))
    return sorted(
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and not inspect.ismodule(value) and is_own(value, module)
    )


def is_own(value, module):
    """What a package shows of its modules is its own, too."""
    if inspect.isclass(value) or inspect.isroutine(value):
        where = getattr(value, "__module__", None) or ""
        return where == module.__name__ or (
            hasattr(module, "__path__") and where.partition(".")[0] == "kafka"
        )
    return isinstance(value, (int, float, str, bytes, tuple, frozenset, set, list, dict))


def entry(value):
    if inspect.isclass(value):
        return describe_class(value)
    if inspect.isroutine(value):
        return {"kind": "function", "parameters": parameters(value)}
    return {"kind": "value", "value": shown(value)}


def describe_class(kind):
    described = {
        "kind": "class",
        "bases": [base.__name__ for base in kind.__mro__[1:]],
        "members": {
            name: member(kind, name)
            for name in dir(kind)
            if (not name.startswith("_") or name in SPECIAL) and is_member(kind, name)
        },
    }
    if hasattr(kind, "_fields"):
        described["fields"] = list(kind._fields)
        defaults = getattr(kind, "_field_defaults", {})
        described["defaults"] = {name: shown(value) for name, value in defaults.items()}
    if issubclass(kind, enum.Enum):
        described["values"] = {name: shown(each.value) for name, each in kind.__members__.items()}
    return described


def is_member(kind, name):
    owner = next((base for base in kind.__mro__ if name in vars(base)), None)
    if owner is None or owner.__module__.partition(".")[0] not in ("kafka", "ringlog"):
        return False
    if inspect.ismemberdescriptor(vars(owner)[name]):  # a slot: an attribute of instances
        return False
    return not (issubclass(kind, enum.Enum) and name in kind.__members__)


def member(kind, name):
    value = inspect.getattr_static(kind, name)
    if isinstance(value, (classmethod, staticmethod)):
        return {"kind": "method", "parameters": parameters(getattr(kind, name))}
    if inspect.isroutine(value):
        return {"kind": "method", "parameters": parameters(value, drop=1)}
    if inspect.isclass(value):
        return {"kind": "class"}
    if inspect.isdatadescriptor(value) or isinstance(value, property):
        return {"kind": "attribute"}
    return {"kind": "attribute", "value": shown(value)}


def parameters(function, drop=0):
    """[(name, kind, default as text or None)]; None where Python cannot say."""
    try:
        found = list(inspect.signature(function).parameters.values())[drop:]
    except (ValueError, TypeError):
        return None
    return [
        [each.name, each.kind.name, None if each.default is each.empty else shown(each.default)]
        for each in found
    ]


def shown(value):
    """A value as text that is equal in every process."""
    if isinstance(value, enum.Enum):
        return f"{type(value).__name__}.{value.name}"
    if inspect.isclass(value) or inspect.isroutine(value):
        return getattr(value, "__name__", "function")
    if isinstance(value, dict):
        return {str(key): shown(each) for key, each in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(map(repr, value))
    if isinstance(value, (list, tuple)):
        return [shown(each) for each in value]
    return re.sub(r" object at 0x[0-9a-f]+|kafka\.|ringlog\.", "", repr(value))


def main(arguments):
    warnings.simplefilter("ignore")
    out, sys.stdout = sys.stdout, io.StringIO()
    if arguments[0] == "--ringlog":
        import ringlog

        ringlog.install_as_kafka()
        with open(arguments[1]) as given:
            names = {module: list(entries) for module, entries in json.load(given).items()}
    else:
        sys.path.insert(0, arguments[0])
        names = dict.fromkeys(module_names())
    json.dump(surface(names), out, indent=1, sort_keys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
