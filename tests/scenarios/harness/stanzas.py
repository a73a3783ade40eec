"""The streams of tests/smuggling, what the gate makes of them, and what servers read."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .canonical import CLIENT

_XML = "http://www.w3.org/XML/1998/namespace"


@dataclass(frozen=True)
class Passage:
    """What of a stream passes the gate: its bytes, and its first-level elements as text."""

    forwarded: bytes
    elements: list[str]


@dataclass(frozen=True)
class Stream:
    name: str
    verdict: str
    but: str  # "ejabberd stops", "ejabberd differs", "ejabberd answers" or nothing
    data: bytes
    strangers: Passage
    whitelisted: Passage


def corpus() -> list[Stream]:
    """As the program smuggling_report tells it, which drives the gate's core without a network."""
    program = os.environ.get("STANZAGATE_SMUGGLING_REPORT")
    if not program:
        raise RuntimeError("STANZAGATE_SMUGGLING_REPORT is not set: ctest sets it")
    report = subprocess.run([program], check=True, capture_output=True, text=True)
    return [_stream(line.split("\t")) for line in report.stdout.splitlines()]


def _stream(fields: list[str]) -> Stream:
    name, verdict, but, data, *passages = fields
    decoded = [bytes.fromhex(text) for text in passages[::2]]
    elements = [[bytes.fromhex(one).decode() for one in text.split(",") if one]
                for text in passages[1::2]]
    return Stream(name, verdict, but, bytes.fromhex(data),
                  *map(Passage, decoded, elements))


def read_sessions(file: Path) -> list[list]:
    """What a server's module test_stanzas has written: of each session that ended, its trees."""
    if not file.exists():
        return []
    sessions, current = [], []
    for line in file.read_bytes().decode().split("\n")[:-1]:
        tree = json.loads(line)
        if tree is None:
            sessions.append(current)
            current = []
        else:
            current.append(tree)
    return sessions


def _show(namespace: str, local: str, attributes: dict[str, str], content: str) -> str:
    """As tests/filters/canonical.hpp shows an element."""
    name = f"{namespace}\n{local}" if namespace else local
    shown = "".join(f" {key}=[{attributes[key]}]"
                    for key in sorted(attributes, key=str.encode))
    return f"<{name}{shown}>{content}</>"


def prosody_reads(tree: list) -> list[str]:
    """An element of Prosody's as text: as it came, and without the language that Prosody adds."""
    name, attributes, children = tree
    found = {key.replace("\1", "\n").replace("xml:", f"{_XML}\n"): value
             for key, value in attributes}
    namespace = found.pop("xmlns", CLIENT)
    content = "".join(child if isinstance(child, str) else prosody_reads(child)[0]
                      for child in children)
    without = {key: value for key, value in found.items() if key != f"{_XML}\nlang"}
    return [_show(namespace, name, one, content) for one in (found, without)]


def ejabberd_reads(tree: list, scope: dict[str, str]) -> str:
    """An element of ejabberd's as text. It keeps prefixes that the header declares (`scope`; ""
    is the default), and resolves those that stanzas declare."""
    name, attributes, children = tree
    scope = dict(scope)
    for key, value in attributes:
        if key == "xmlns" or key.startswith("xmlns:"):
            scope[key[6:]] = value

    def expanded(written: str, default: str) -> tuple[str, str]:
        prefix, colon, local = written.rpartition(":")
        return (scope[prefix] if colon else default), local

    found = {}
    for key, value in attributes:
        if key != "xmlns" and not key.startswith("xmlns:"):
            namespace, local = expanded(key, "")
            found[f"{namespace}\n{local}" if namespace else local] = value
    content = "".join(child if isinstance(child, str) else ejabberd_reads(child, scope)
                      for child in children)
    namespace, local = expanded(name, scope[""])
    return _show(namespace, local, found, content)
