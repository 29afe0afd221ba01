from ringlog import _native

__version__ = _native.version
