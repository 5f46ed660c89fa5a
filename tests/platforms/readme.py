#!/usr/bin/env python3
"""The complete files that README.md and docs/ show, so that the tests read and run what a reader copies.

Each is the code block after a line `<!-- example: NAME -->`. As a program it writes them into a folder:

    tests/platforms/readme.py FOLDER
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^<!-- example: (\S+) -->\n+```\w*\n(.*?)^```$", re.M | re.S)


def examples() -> dict[str, str]:
    all_found: dict[str, str] = {}
    for page in PAGES:
        text = page.read_text()
        found = BLOCK.findall(text)
        if len(found) != text.count("<!-- example: "):
            raise ValueError(f"{page.name}: an example without a code block right after it")
        if len({*all_found, *dict(found)}) != len(all_found) + len(found):
            raise ValueError(f"{page.name}: two examples of one name")
        all_found |= dict(found)
    return all_found


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in examples().items():
        (folder / name).write_text(content)
