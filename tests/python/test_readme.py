"""The Python blocks of README.md run as they stand, in order, in one empty directory."""

import os
import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).resolve().parents[2] / "README.md"


def test_the_blocks_of_the_readme_run(tmp_path):
    blocks = re.findall(r"^```python\n(.*?)^```$", README.read_text(), re.DOTALL | re.MULTILINE)
    assert len(blocks) == 2
    printed = []
    for block in blocks:
        done = subprocess.run(
            [sys.executable, "-c", block],
            cwd=tmp_path,
            env=dict(os.environ),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        printed.append(done.stdout)
    orders = [f"0 {i} b'customer-7' b'order {i}'\n" for i in range(3)]
    assert printed == ["".join(orders), ""]
