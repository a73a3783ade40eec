"""The code blocks of the documents, and whether what was shown is what came out."""

import fnmatch
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SHELL = "sh"  # also of blocks without a tag
GOES_ON = ("\\", "|", "&&")


@dataclass(frozen=True)
class Block:
    page: str  # "docs/install.md"
    line: int  # of its first line of text
    tag: str
    text: str
    heading: str  # that it stands under, without the "#"

    def __str__(self) -> str:
        return f"{self.page}:{self.line} ({self.tag})"


@dataclass
class Command:
    text: str
    shown: list[str]  # what the page says it prints


def pages() -> list[str]:
    """README.md and everything below docs/."""
    found = ["README.md", *(path.relative_to(ROOT).as_posix()
                            for path in sorted((ROOT / "docs").rglob("*.md")))]
    return found


def blocks(page: str) -> list[Block]:
    return blocks_of(page, (ROOT / page).read_text(encoding="utf-8"))


def blocks_of(page: str, text: str) -> list[Block]:
    found = []
    heading = ""
    lines = text.splitlines()
    number = 0
    while number < len(lines):
        line = lines[number]
        if fence := re.match(r"```(\w*)", line):
            end = next((i for i in range(number + 1, len(lines)) if lines[i].startswith("```")), None)
            if end is None:
                raise ValueError(f"{page}:{number + 1}: a block without an end")
            inside = lines[number + 1:end]
            found.append(Block(page, number + 2, fence[1] or SHELL, "\n".join(inside), heading))
            number = end
        elif line.startswith("    ") and not lines[number - 1].strip():
            end = number
            while end < len(lines) and (lines[end].startswith("    ") or not lines[end].strip()):
                end += 1
            inside = "\n".join(line[4:] for line in lines[number:end]).rstrip()
            found.append(Block(page, number + 1, SHELL, inside, heading))
            number = end - 1
        elif line.startswith("#"):
            heading = line.lstrip("# ")
        number += 1
    return found


def commands(text: str) -> list[Command]:
    """Of a block that shows output: `$ COMMAND`, whose text goes on behind a backslash or an operator, and
    up to the end of a here-document; then what it prints."""
    found: list[Command] = []
    goes_on, end = False, None
    for line in text.splitlines():
        if goes_on:
            found[-1].text += "\n" + line
            if end is not None:
                goes_on = line != end
            else:
                goes_on = line.endswith(GOES_ON)
        elif line.startswith("$ "):
            found.append(Command(line[2:], []))
            here = re.search(r"<<\s*'?(\w+)'?", line)
            end = here[1] if here else None
            goes_on = bool(here) or line.endswith(GOES_ON)
        elif found:
            found[-1].shown.append(line)
        else:
            raise ValueError(f"not a command: {line!r}")
    return found


def is_as_shown(shown: list[str], printed: list[str]) -> bool:
    """`...` in what is shown stands for anything within a line; alone, for any number of lines."""
    shown = [line.rstrip() for line in shown if line.strip()]
    printed = [line.rstrip() for line in printed if line.strip()]
    return _matches(shown, printed)


def _matches(shown: list[str], printed: list[str]) -> bool:
    if not shown:
        return not printed
    if shown[0].strip() == "...":
        return any(_matches(shown[1:], printed[skipped:]) for skipped in range(len(printed) + 1))
    return bool(printed) and _line_matches(shown[0], printed[0]) and _matches(shown[1:], printed[1:])


def _line_matches(shown: str, printed: str) -> bool:
    literal = re.sub(r"([\[\]*?])", r"[\1]", shown)
    return fnmatch.fnmatchcase(printed, literal.replace("...", "*"))
