"""The rules of style that a program can check: each takes a path and its text, returns faults."""

import ast
import re
from pathlib import Path

from sources import CODE, TEXT, bare_cpp, is_script, layer_of

COLUMNS_MAX = 100
FILE_LINES_MAX = 700
FUNCTION_LINES_MAX = 70

# --- no thread, wait, clock or chance below node ----------------------------------------------

INJECTED_LAYERS = {
    "base", "model", "codec", "io", "storage", "protocol", "metadata", "broker", "server",
}
IMPURE = {
    "thread": r"std::(jthread|thread|async)\b(?!::id)|\bpthread_create\b|\bfork\s*\(",
    "wait": r"std::(condition_variable|latch|barrier|future|promise|\w+_semaphore)|std::this_thread"
    r"::(sleep|yield)|\b(usleep|nanosleep|sleep|sched_yield)\s*\(|\bSYS_futex\b",
    "clock": r"(system|steady|high_resolution|utc|file)_clock\b|\b(clock_gettime|gettimeofday)\s*\("
    r"|\bstd::time\s*\(|\btime\s*\(\s*(nullptr|NULL|0)\s*\)",
    "random": r"\brandom_device\b|\b(s?rand|getrandom|getentropy|arc4random)\s*\(|/dev/u?random",
}
# The production twins of the injected interfaces: the only files below node that touch the machine.
EXCEPTIONS: dict[str, set[str]] = {
    "cpp/io/system_clock.h": {"clock"},
    "cpp/io/system_random.cc": {"random"},
    "cpp/io/loop.h": {"thread"},  # which one is its own
    "cpp/io/work_threads.h": {"thread", "wait"},
    "cpp/io/work_threads.cc": {"thread"},
}


def purity_faults(path: str, text: str) -> list[str]:
    """Threads, waits, clocks and randomness where they must be handed in."""
    if layer_of(path) not in INJECTED_LAYERS:
        return []
    faults = []
    for number, line in enumerate(bare_cpp(text).splitlines(), 1):
        for kind, pattern in IMPURE.items():
            found = re.search(pattern, line)
            if found and kind not in EXCEPTIONS.get(path, set()):
                faults.append(f"{path}:{number}: {kind} below node: {found.group().strip()}")
    return faults


# --- layout of a file ---------------------------------------------------------------------------


def pragma_once_faults(path: str, text: str) -> list[str]:
    if not path.endswith(".h") or re.search(r"^#pragma once$", text, re.MULTILINE):
        return []
    return [f"{path}: no #pragma once"]


def is_code(path: str) -> bool:
    return Path(path).suffix in CODE or Path(path).name == "CMakeLists.txt"


def line_length_faults(path: str, text: str) -> list[str]:
    if not (is_code(path) or is_script(path)):
        return []
    return [
        f"{path}:{number}: {len(line)} columns"
        for number, line in enumerate(text.splitlines(), 1)
        if len(line) > COLUMNS_MAX
    ]


def file_length_faults(path: str, text: str) -> list[str]:
    lines = text.count("\n")
    return [f"{path}: {lines} lines"] if is_code(path) and lines > FILE_LINES_MAX else []


def blank_faults(path: str, text: str) -> list[str]:
    """Tabs, blanks at a line's end, carriage returns, no newline at the end of the file."""
    if Path(path).suffix not in TEXT and not is_code(path) and not is_script(path):
        return []
    faults = [
        f"{path}:{number}: {'tab' if chr(9) in line else 'blank at the end'}"
        for number, line in enumerate(text.split("\n"), 1)
        if "\t" in line or line != line.rstrip()
    ]
    if text and not text.endswith("\n"):
        faults.append(f"{path}: no newline at the end")
    return faults


# --- words that must not be committed -------------------------------------------------------------

LEFT_FOR_LATER = re.compile(r"\b(" + "|".join(("TO" "DO", "FIX" "ME", "XX" "X")) + r")\b")
MACHINE_PATH = re.compile(r"(?<![\w.$})*-])/(?:work|root|home|farm)/[a-z.]")


def leftover_faults(path: str, text: str) -> list[str]:
    return [
        f"{path}:{number}: {found.group()}: do it, or leave it out"
        for number, line in enumerate(text.splitlines(), 1)
        if (found := LEFT_FOR_LATER.search(line))
    ]


def machine_path_faults(path: str, text: str) -> list[str]:
    return [
        f"{path}:{number}: a path of one machine: {line.strip()[:60]}"
        for number, line in enumerate(text.splitlines(), 1)
        if MACHINE_PATH.search(line)
    ]


# --- length of functions --------------------------------------------------------------------------

NOT_A_FUNCTION = re.compile(r"\b(namespace|class|struct|union|enum|extern)\b[^()]*$")
FUNCTION_HEAD = re.compile(r"\)\s*(const|noexcept|override|final|mutable|try|->[^{};]*|&|\s)*$")
INITIALISERS = re.compile(r"\)\s*(noexcept\s*)?:\s*\w+[^;]*$", re.DOTALL)


def cpp_functions(text: str) -> list[tuple[int, int]]:
    """(first line, number of lines) of every outermost function body, found by its braces.

    A brace that follows its word at once (`value_{value}`) initialises and opens no body.
    """
    found, function_depth, depth, first_line, line = [], None, 0, 0, 1
    head_start, initialising = 0, []
    bare = re.sub(r"^[ \t]*#[^\n]*", "", bare_cpp(text), flags=re.MULTILINE)
    for position, character in enumerate(bare):
        if character == "\n":
            line += 1
        elif character == "{":
            initialising.append(position > 0 and not bare[position - 1].isspace())
            if function_depth is None and not initialising[-1]:
                head = bare[head_start:position]
                is_body = FUNCTION_HEAD.search(head) or INITIALISERS.search(head)
                if is_body and not NOT_A_FUNCTION.search(head):
                    function_depth, first_line = depth, line - head.lstrip().count("\n")
            depth += 1
            head_start = head_start if initialising[-1] else position + 1
        elif character == "}":
            depth -= 1
            if depth == function_depth:
                found.append((first_line, line - first_line + 1))
                function_depth = None
            if initialising and not initialising.pop():
                head_start = position + 1
        elif character == ";":
            head_start = position + 1
    return found


def python_functions(text: str) -> list[tuple[int, int]]:
    """(first line, number of lines without the docstring) of every function."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = node.end_lineno - node.lineno + 1
            if ast.get_docstring(node) is not None:
                lines -= node.body[0].end_lineno - node.body[0].lineno + 1
            found.append((node.lineno, lines))
    return found


def function_length_faults(path: str, text: str) -> list[str]:
    if path.endswith((".h", ".cc")):
        functions = cpp_functions(text)
    elif path.endswith(".py"):
        functions = python_functions(text)
    else:
        return []
    return [
        f"{path}:{line}: a function of {lines} lines"
        for line, lines in functions
        if lines > FUNCTION_LINES_MAX
    ]


RULES = [
    purity_faults,
    pragma_once_faults,
    line_length_faults,
    file_length_faults,
    blank_faults,
    leftover_faults,
    machine_path_faults,
    function_length_faults,
]
