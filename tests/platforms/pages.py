#!/usr/bin/env python3
"""What README.md and docs/ show, so that the tests read and run what a reader copies.

Every fenced block says in a comment on the line before it how it is checked, or does not need to:

    <!-- example: NAME -->    a complete file; linted, and run where its system can be run here
    <!-- step -->             a part of a workflow with one or more steps; the action takes their inputs
    <!-- run: NAME -->        a script that runs as it stands against the sandbox, in an empty folder
    <!-- output of: NAME -->  lines that this script prints
    <!-- checked by: WHAT --> a step of .ci/run, or a test, does what it says
    <!-- shown: WHY -->       needs what is not here; a shell script is linted all the same
    json, mermaid             are parsed; tests look at what they say

As a program it fails where a block says nothing of that, and writes all files and scripts into a folder, for linters:

    tests/platforms/pages.py FOLDER
"""

import json
import re
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")] + sorted((ROOT / "docs").glob("*.md"))
# In a list it is indented.
FENCE = re.compile(r"(?:^ *<!-- (?P<mark>[^>]*) -->\n\n)?^ *```(?P<language>\S*)\n(?P<text>.*?)^ *```$", re.M | re.S)
# Languages whose blocks are checked by what they are.
PARSED = {"json", "mermaid"}
MARKS = re.compile(r"example: \S+|step|run: .+|output of: .+|checked by: .+|shown: .+")


@dataclass(frozen=True)
class Block:
    """A fenced block: how it is checked, its language, its text, and where it is."""

    mark: str
    language: str
    text: str
    place: str

    def named(self, kind: str) -> str | None:
        """Its name, if it is of that kind."""
        return self.mark.removeprefix(f"{kind}: ") if self.mark.startswith(f"{kind}: ") else None


def blocks() -> list[Block]:
    """All blocks of all pages, in their order."""
    found = []
    for page in PAGES:
        text = page.read_text()
        matches = list(FENCE.finditer(text))
        if 2 * len(matches) != len(re.findall("^ *```", text, re.M)):
            raise ValueError(f"{page.name}: a fence without an end")
        for match in matches:
            place = f"{page.name}:{text.count(chr(10), 0, match.start('language')) + 1}"
            block = Block(match["mark"] or "", match["language"], textwrap.dedent(match["text"]), place)
            if not MARKS.fullmatch(block.mark) and block.language not in PARSED:
                raise ValueError(f"{place}: nothing says how this block is checked")
            found.append(block)
        if len([block for block in found if block.mark]) < text.count("<!-- example: "):
            raise ValueError(f"{page.name}: an example without a code block right after it")
    return found


def of_kind(kind: str) -> dict[str, str]:
    """Texts by name, of all pages."""
    found: dict[str, str] = {}
    for block in blocks():
        if name := block.named(kind):
            if name in found:
                raise ValueError(f"{block.place}: there is another {kind} {name}")
            found[name] = block.text
    return found


def examples() -> dict[str, str]:
    """The complete files by name."""
    return of_kind("example")


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    scripts = 0
    for block in blocks():
        if name := block.named("example"):
            (folder / name).write_text(block.text)
        elif block.language == "sh":
            scripts += 1
            (folder / f"block-{scripts}.sh").write_text(f"#!/bin/sh\n# {block.place}\n{block.text}")
        elif block.language == "json":
            json.loads(block.text)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
