"""Runs one block of the documents as it stands, in this process: run_block.py BLOCK ADDRESS.

`import kafka` means ringlog on the log at ADDRESS, iteration ends when the log is drained, and what
the block leaves to its reader comes from its case in document_cases.py.
"""

import pathlib
import sys

import ringlog
from document_cases import CASES


def main(block, address):
    path = pathlib.Path(block)
    case = CASES[path.stem]
    ringlog.install_as_kafka(address, consumer_timeout_ms=1000)
    case.before()
    names = {"__name__": "__main__", **case.supplied()}
    exec(compile(path.read_text(encoding="utf-8"), path.name, "exec"), names)
    case.after(names)


if __name__ == "__main__":
    main(*sys.argv[1:])
