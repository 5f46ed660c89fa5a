#!/usr/bin/env python3
"""The complete files that README.md shows, so that the tests read and run what a reader copies.

Each is the code block after a line `<!-- example: NAME -->`. As a program it writes them into a folder:

    tests/platforms/readme.py FOLDER
"""

import re
import sys
from pathlib import Path

README = Path(__file__).resolve().parents[2] / "README.md"
BLOCK = re.compile(r"^<!-- example: (\S+) -->\n+```\w*\n(.*?)^```$", re.M | re.S)


def examples() -> dict[str, str]:
    text = README.read_text()
    found = BLOCK.findall(text)
    if len(found) != text.count("<!-- example: "):
        raise ValueError("README.md: an example without a code block right after it")
    if len(dict(found)) != len(found):
        raise ValueError("README.md: two examples of one name")
    return dict(found)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in examples().items():
        (folder / name).write_text(content)
