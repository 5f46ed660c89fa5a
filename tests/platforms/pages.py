#!/usr/bin/env python3
"""Reads the code blocks of README.md and docs/, so that the tests run what a reader copies.

A comment before each fenced block states how the block is checked:

    <!-- example: NAME -->    a complete file: linted, and run if its CI system can run here
    <!-- step -->             one or more steps of a workflow: the action accepts their inputs
    <!-- run: NAME -->        a script: run unchanged against the sandbox, in an empty directory
    <!-- output of: NAME -->  lines that this script prints
    <!-- checked by: WHAT --> a step of .ci/run or a test does the same
    <!-- shown: WHY -->       cannot run here; shell scripts are still linted
    json, mermaid             need no comment: they are parsed, and tests check their content

As a program, it fails if a block has no such comment, and writes all files and scripts to a directory for linters:

    tests/platforms/pages.py FOLDER
"""

import json
import re
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")] + sorted((ROOT / "docs").rglob("*.md"))
# Blocks in lists are indented.
FENCE = re.compile(r"(?:^ *<!-- (?P<mark>[^>]*) -->\n\n)?^ *```(?P<language>\S*)\n(?P<text>.*?)^ *```$", re.M | re.S)
# Languages whose blocks need no comment.
PARSED = {"json", "mermaid"}
MARKS = re.compile(r"example: \S+|step|run: .+|output of: .+|checked by: .+|shown: .+")


@dataclass(frozen=True)
class Block:
    """A fenced block: how it is checked, its language, its text and its location."""

    mark: str
    language: str
    text: str
    place: str

    def named(self, kind: str) -> str | None:
        """The name in the comment if the block is of this kind."""
        return self.mark.removeprefix(f"{kind}: ") if self.mark.startswith(f"{kind}: ") else None


def blocks() -> list[Block]:
    """All blocks of all pages, in order."""
    found = []
    for page in PAGES:
        text = page.read_text()
        matches = list(FENCE.finditer(text))
        if 2 * len(matches) != len(re.findall("^ *```", text, re.M)):
            raise ValueError(f"{page.name}: unclosed fence")
        for match in matches:
            place = f"{page.relative_to(ROOT)}:{text.count(chr(10), 0, match.start('language')) + 1}"
            block = Block(match["mark"] or "", match["language"], textwrap.dedent(match["text"]), place)
            if not MARKS.fullmatch(block.mark) and block.language not in PARSED:
                raise ValueError(f"{place}: no comment states how this block is checked")
            found.append(block)
        if len([block for block in found if block.mark]) < text.count("<!-- example: "):
            raise ValueError(f"{page.name}: an example comment without a code block after it")
    return found


def of_kind(kind: str) -> dict[str, str]:
    """Texts of all blocks of this kind, by name."""
    found: dict[str, str] = {}
    for block in blocks():
        if name := block.named(kind):
            if name in found:
                raise ValueError(f"{block.place}: duplicate {kind} {name}")
            found[name] = block.text
    return found


def examples() -> dict[str, str]:
    """The complete example files, by name."""
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
