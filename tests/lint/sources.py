"""Which files are linted, and the C++ text of a file without comments and strings."""

import re
import subprocess
from functools import cache
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
CODE = {".h", ".cc", ".py", ".pyi", ".cmake", ".sh"}
TEXT = CODE | {".md", ".txt", ".toml", ".kmsg", ".yml", ".yaml", ".json"}


@cache
def tracked_files() -> list[str]:
    """Paths, relative to the top, of all files that are or would be committed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=TOP,
        capture_output=True,
        check=True,
        text=True,
    )
    return sorted(path for path in set(listed.stdout.split("\0")) if (TOP / path).is_file())


def is_script(path: str) -> bool:
    """A program without a suffix, such as `x`."""
    return "." not in Path(path).name and read(path).startswith("#!")


@cache
def read(path: str) -> str:
    return (TOP / path).read_text(encoding="utf-8", errors="replace")


def layer_of(path: str) -> str | None:
    """The layer that owns a C++ file; None for tests, benchmarks and the like."""
    parts = Path(path).parts
    if parts[0] == "cpp" and len(parts) > 2:
        return parts[1]
    return "python" if parts[:2] == ("python", "bindings") else None


CPP_TOKEN = re.compile(
    r"""//[^\n]*
      | /\*.*?\*/
      | R"(?P<tag>[^()\s]*)\(.*?\)(?P=tag)"
      | "(?:\\.|[^"\\\n])*"
      | (?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'""",
    re.VERBOSE | re.DOTALL,
)


def bare_cpp(text: str) -> str:
    """C++ text whose comments and string contents are blanks; line numbers stay."""
    return CPP_TOKEN.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), text)
