"""`python -m ringlog run`: an unmodified kafka-python script on an embedded log."""

import argparse
import os
import runpy
import sys

from ringlog.install import install_as_kafka


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m ringlog", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run a script with `import kafka` meaning ringlog")
    run.add_argument(
        "--data",
        default="./data",
        metavar="DIR",
        help="directory of the log, or an address such as memory: (default: %(default)s)",
    )
    run.add_argument(
        "--consumer-timeout-ms",
        type=int,
        metavar="N",
        help="end `for message in consumer` after N ms without a record (default: never)",
    )
    run.add_argument("script")
    run.add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args(arguments)
    data = (
        options.data
        if options.data.startswith(("file:", "memory:"))
        else f"file:{os.path.abspath(options.data)}"
    )
    install_as_kafka(data, options.consumer_timeout_ms)
    sys.argv = [options.script, *options.arguments]
    sys.path[0] = os.path.dirname(os.path.abspath(options.script))
    runpy.run_path(options.script, run_name="__main__")


if __name__ == "__main__":
    main()
