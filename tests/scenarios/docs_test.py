#!/usr/bin/python3
"""Every page of the documents does what it says: each block of code in README.md and docs/ is run, or
loaded by the program that it is for, and what a page shows is what comes out.

Paths in /etc and /usr/share/doc/stanzagate are led to a folder that holds what a new machine with the
package has. `stanzagate` without -c has the configuration of that folder, and a gate runs with it. What
only a booted machine has is played: `journalctl` prints that gate's log, `systemctl`, `apt` and the like
do nothing but be named right. docs/first-hour.md is run with the real ones by `./dev try-package`.
"""

import json
import os
import re
import shutil
import ssl
import subprocess
import tomllib
import unittest
import xml.etree.ElementTree as ET
from contextlib import nullcontext
from pathlib import Path

from harness.canonical import canonical
from harness.certificates import make_certificate
from harness.documents import SHELL, Block, blocks, blocks_of, commands, is_as_shown, pages
from harness.gate import Gate, program, run_program
from harness.network import STRANGER
from harness.processes import wait_until
from harness.raw_client import RawClient
from harness.recorder import RecordingUpstream
from harness.scenario import Scenario, main

ROOT = Path(__file__).resolve().parents[2]

# What is not run here, and why: the page, the first words of the block, the reason.
NOT_HERE = [
    ("README.md", "                    ┌", "a picture"),
    ("docs/dns.md", "; STARTTLS", "a zone"),
    ("docs/dns.md", "dig ", "asks for a domain that is not there"),
    ("docs/first-hour.md", "", "./dev try-package runs it, on a booted Debian"),
    ("docs/certificates.md", "chgrp stanzagate", "needs the group, and what certbot made"),
    ("docs/certificates.md", "cd /etc/stanzagate/certificates\ninstall", "needs the group, and acme.sh"),
    ("docs/certificates.md", "cd /etc/stanzagate/certificates\nsed", "asks an OCSP responder"),
    ("docs/certificates.md", "cd /etc/stanzagate\numask", "needs the group; scenario.tickets has such files"),
    ("docs/certificates.md", '[[host]]\nname        = "example.org"\ncertificate = "/etc',
     "scenario.certificates has such a folder"),
    ("docs/certificates.md", "certificate = [", "scenario.certificates has such a pair"),
    ("docs/certificates.md", "[server]\nticket_keys", "scenario.tickets has such a file"),
    ("docs/install.md", "chgrp stanzagate", "needs the group, and what certbot made"),
    ("docs/rules.md", "$ stanzagate explain", "scenario.explain_rules runs these, each with its file"),
    ("docs/moving-from-mod_register_redirect.md", "systemctl status",
     "./dev try-package runs it, on a booted Debian"),
    ("docs/several-machines.md", "_xmpp-client", "a zone"),
    ("docs/servers.md", "", "scenario.servers runs it, with the servers"),
]

BASE = {
    "listen": '[[listen]]\naddress = "127.0.0.1:0"\n',
    "host": '[[host]]\nname = "example.org"\nself_signed = true\nupstream = "tcp://192.0.2.10:15222"\n',
    "registration": '[registration]\nurl = "https://example.org/register"\n',
}
GATE = """
[server]
admin = "unix:{folder}/admin.sock"
[limits]
connections_per_address = 2
[[listen]]
address = "127.0.0.1:0"
tls = "direct"
{host}
[registration]
whitelist = ["192.0.2.0/24"]
url = "https://example.org/register"
"""
RULE_FILE = {"lists", "rule"}
ANSWER = re.compile(r"^(url|text|admins)\s*=", re.MULTILINE)

PROSODY = """
admins = { "admin@example.org" }
modules_enabled = { "roster", "saslauth", "tls", "register_ibr", "register_redirect" }
registration_url = "https://example.org/register"
VirtualHost "example.org"
"""
# stanzagate: the configuration that a package puts into /etc is the folder's. `run` would not end, so
# only what it reads is looked at.
SHIM = """#!/bin/sh
command=$1
shift
[ "$command" != run ] || command=check
# There is no server that it could ask; scenario.doctor has some.
[ "$command $1" != "check --live" ] || shift
case "$command $*" in
    *" -c "* | import-prosody* | --*) exec "{program}" "$command" "$@" ;;
    *) exec "{program}" "$command" -c "{etc}/stanzagate/stanzagate.toml" "$@" ;;
esac
"""
DEV = """#!/bin/sh
"{root}/dev" help | grep -q "^  $1 " || {{ echo "no such command of dev: $1" >&2; exit 1; }}
"""
JOURNAL = """#!/bin/sh
cat "{log}"
"""
PLAYED = ("systemctl", "apt", "apt-get", "fail2ban-client")


# With `ssh MACHINE COMMAND` the command is run here.
SSH = """#!/bin/sh
shift
exec sh -c "$*"
"""


def why_not_here(block: Block) -> str | None:
    return next((why for page, begins, why in NOT_HERE
                 if page == block.page and block.text.startswith(begins)), None)


def with_what_is_missing(text: str) -> str:
    """A whole configuration of which the page shows a part."""
    data = tomllib.loads(text)
    if not any(isinstance(value, (dict, list)) and value and "[" + key in text
               for key, value in data.items()):  # keys without their table
        data, text = {"registration": data}, "[registration]\n" + text
    registration = data.get("registration")
    if registration is not None and not ANSWER.search(text):
        text = text.replace("[registration]", BASE["registration"].rstrip(), 1)
    return text + "\n\n" + "\n".join(more for key, more in BASE.items() if key not in data)


class Pages(Scenario):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.certificate = make_certificate(cls.folder, "example.org")
        upstream = cls.enterClassContext(RecordingUpstream(replies={}))
        host = BASE["host"].replace("192.0.2.10:15222", f"127.0.0.1:{upstream.port}")
        cls.gate = cls.enterClassContext(
            Gate(cls.folder, GATE.format(folder=cls.folder, host=host), "stanzagate"))
        cls.give_it_something_to_log()

    @classmethod
    def give_it_something_to_log(cls) -> None:
        trusting = ssl._create_unverified_context()
        port = cls.gate.port("direct")
        with RawClient(port, STRANGER) as client, RawClient(port, STRANGER):
            client.wrap(trusting, "example.org")
            client.open("example.org")
            client.ask("<iq type='get' id='1'><query xmlns='jabber:iq:register'/></iq>")
            wait_until(lambda: cls.gate.events("registration"), "it is decided")
            with RawClient(port, STRANGER):  # one too many
                wait_until(lambda: cls.gate.events("refused_connections"), "it is turned away")

    def setUp(self):
        self.place = self.temporary_folder()
        self.etc = self.place / "etc"
        shutil.copytree(ROOT / "config/rules", self.place / "usr/share/doc/stanzagate/examples/rules")
        shutil.copytree(ROOT / "packaging/fail2ban",
                        self.place / "usr/share/doc/stanzagate/examples/fail2ban")
        for folder in ("stanzagate", "prosody", "fail2ban"):
            (self.etc / folder).mkdir(parents=True)
        shutil.copytree(ROOT / "config/rules", self.etc / "stanzagate/rules")
        (self.etc / "prosody/prosody.cfg.lua").write_text(PROSODY)

    def led_here(self, text: str) -> str:
        return re.sub(r"(?<![\w.])/(etc|usr/share/doc/stanzagate)/", rf"{self.place}/\1/", text)

    # --- each kind of block ---

    def run_toml(self, block: Block) -> None:
        """`check` takes it, with the files that it names."""
        folder = self.place / "configuration"
        shutil.copytree(ROOT / "config/rules", folder / "rules", dirs_exist_ok=True)
        text = self.led_here(block.text)
        for name in re.findall(r'"([\w./-]+\.(?:pem|crt|key|txt|toml|mmdb))"', text):
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            if "key" in file.name or "priv" in file.name:
                shutil.copy(self.certificate.key, file)
            elif file.suffix in (".pem", ".crt"):
                shutil.copy(self.certificate.certificate, file)
            elif not file.exists():
                file.touch()
        for pattern in re.findall(r'"([\w./-]+)/\*\.toml"', text):
            (folder / pattern).mkdir(parents=True, exist_ok=True)
            (folder / pattern / "one.toml").touch()
        data = tomllib.loads(text)
        if RULE_FILE & data.keys():
            (folder / "rules/of-the-page.toml").write_text(text)
            text = 'rules = ["rules/of-the-page.toml"]'
            shutil.copy(ROOT / "config/rules/lists/attackers.txt", folder / "rules/spam.txt")
        file = folder / "stanzagate.toml"
        file.write_text(with_what_is_missing(text))
        done = run_program("check", "-c", file)
        self.assertEqual(done.returncode, 0, f"{done.stderr}\n{file.read_text()}")

    def run_sh(self, block: Block) -> None:
        """It runs, beside a gate; what it shows is printed. The next block of the page finds what it
        has left."""
        tools = self.place / "bin"
        if not tools.exists():
            self.install(tools)
        text = self.led_here(block.text).replace(" PID", f" {self.gate.process.child.pid}")
        parts = commands(text) if text.startswith("$ ") else []
        for command, shown in [(one.text, one.shown) for one in parts] or [(text, None)]:
            done = subprocess.run(["bash", "-euo", "pipefail", "-c", command], cwd=self.place,
                                  env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"},
                                  capture_output=True, text=True, timeout=60,
                                  stdin=subprocess.DEVNULL)
            printed = done.stdout + done.stderr
            self.assertEqual(done.returncode, 0, f"{command}\n{printed}")
            if shown is not None:
                self.assertTrue(is_as_shown(shown, printed.splitlines()),
                                "\n".join([command, *shown, "--- but it printed:", printed]))

    def install(self, tools: Path) -> None:
        for folder in (self.etc / "stanzagate", self.place):
            shutil.copy(self.gate.config_file, folder)
        shutil.copy(self.etc / "prosody/prosody.cfg.lua", self.place)
        for folder in (tools, self.place / "build"):
            folder.mkdir()
        scripts = {"stanzagate": SHIM.format(program=program(), etc=self.etc),
                   "journalctl": JOURNAL.format(log=self.gate.process.log_file),
                   "ssh": SSH, **{name: "#!/bin/sh\n" for name in PLAYED}}
        for name, text in scripts.items():
            (tools / name).write_text(text)
            (tools / name).chmod(0o755)
        shutil.copy(tools / "stanzagate", self.place / "build")
        (self.place / "build/stanzagate_0_all.deb").touch()
        (self.place / "dev").write_text(DEV.format(root=ROOT))
        (self.place / "dev").chmod(0o755)

    def run_xml(self, block: Block) -> None:
        """C: what a client asks, S: what `explain` says it gets, with the configuration above it."""
        asked, answered = re.fullmatch(r"C: (.*?)\nS: (.*)", block.text, re.DOTALL).groups()
        configuration = next(other for other in blocks(block.page) if other.tag == "toml")
        self.run_toml(configuration)
        done = run_program("explain", "-c", self.place / "configuration/stanzagate.toml", "--host",
                           "example.org", "--from", "203.0.113.9", "--json")
        answer = ET.fromstring(json.loads(done.stdout)["reply"])
        expected = ET.fromstring(re.sub(r">\s+<", "><", answered))
        self.assertEqual(expected.get("id"), ET.fromstring(asked).get("id"))
        self.assertEqual(expected.get("from"), ET.fromstring(asked).get("to"))
        for element in (answer, expected):  # which explain does not ask for
            element.attrib.pop("id")
            element.attrib.pop("from", None)
        self.assertEqual(canonical(answer), canonical(expected))

    def run_json(self, block: Block) -> None:
        links = json.loads(block.text)["links"]
        self.assertEqual({link["href"].partition("//")[2] for link in links},
                         {"example.org/xmpp-websocket", "example.org/http-bind"})

    def run_ini(self, block: Block) -> None:
        """A drop-in of the unit, which systemd takes."""
        unit = self.place / "stanzagate.service"
        text = (ROOT / "packaging/stanzagate.service").read_text()
        unit.write_text(text.replace("/usr/bin/stanzagate", program()))
        drop_in = self.place / "stanzagate.service.d/override.conf"
        drop_in.parent.mkdir()
        drop_in.write_text(block.text + "\n")
        self.tool("systemd-analyze", "verify", "--man=no", unit, about="stanzagate.service")

    def run_yaml(self, block: Block) -> None:
        """Alerts of Prometheus."""
        rules = self.place / "rules.yml"
        inside = "\n".join("      " + line for line in block.text.splitlines())
        rules.write_text(f"groups:\n  - name: page\n    rules:\n{inside}\n")
        self.tool("promtool", "check", "rules", rules)

    def run_haproxy(self, block: Block) -> None:
        file = self.place / "haproxy.cfg"
        listener = "" if "bind" in block.text else f"listen any\n    bind {self.place}/any\n"
        defaults = "defaults\n    timeout client 1s\n    timeout connect 1s\n    timeout server 1s\n"
        file.write_text((defaults if listener else "") + block.text + "\n" + listener)
        self.tool("haproxy", "-c", "-f", file)

    def run_nginx(self, block: Block) -> None:
        head = f"error_log stderr; pid {self.place}/nginx.pid;\n"
        text = block.text
        if text.startswith("location"):
            text = "events {}\nhttp { access_log off; server { listen 127.0.0.1:1;\n" + text + "\n} }"
        else:
            head += "load_module /usr/lib/nginx/modules/ngx_stream_module.so;\nevents {}\n"
        file = self.place / "nginx.conf"
        file.write_text(head + text + "\n")
        self.tool("nginx", "-t", "-q", "-c", file)

    def tool(self, name: str, *arguments, about: str | None = None) -> None:
        if shutil.which(name) is None:
            self.skipTest(f"{name} is not installed")
        done = subprocess.run([name, *map(str, arguments)], capture_output=True, text=True, timeout=60)
        said = [line for line in (done.stdout + done.stderr).splitlines()
                if about is None or about in line]
        self.assertFalse(done.returncode or (about and said), "\n".join(said))


def test_of(*some: Block):
    def test(self):
        for block in some:
            with self.subTest(str(block)) if len(some) > 1 else nullcontext():
                run = getattr(self, f"run_{block.tag}", None)
                self.assertIsNotNone(run, f"nothing here runs {block.tag!r}: say in NOT_HERE why")
                run(block)
    return test


class Documents(Pages):
    """Filled below: a test for the commands of each page, and one for each other block."""


for name in pages():
    found = [block for block in blocks(name) if why_not_here(block) is None]
    slug = "test_" + re.sub(r"\W+", "_", name)
    if shell := [block for block in found if block.tag == SHELL]:
        setattr(Documents, f"{slug}_{SHELL}", test_of(*shell))
    for block in found:
        if block.tag != SHELL:
            setattr(Documents, f"{slug}_{block.line:03}_{block.tag}", test_of(block))


class TheList(unittest.TestCase):
    def test_of_what_is_not_run_names_what_is_there(self):
        everything = [block for page in pages() for block in blocks(page)]
        for page, begins, why in NOT_HERE:
            with self.subTest(page=page, begins=begins, why=why):
                self.assertTrue(any(block.page == page and block.text.startswith(begins)
                                    for block in everything))

    def test_of_pages_is_in_the_index(self):
        """docs/README.md names each page, and each link in any page leads to a file."""
        index = (ROOT / "docs/README.md").read_text()
        for page in pages():
            text = (ROOT / page).read_text()
            folder = (ROOT / page).parent
            for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
                if "://" not in target:
                    with self.subTest(page=page, target=target):
                        self.assertTrue((folder / target).exists())
            if page not in ("README.md", "docs/README.md"):
                with self.subTest(page=page):
                    self.assertIn(f"]({page.removeprefix('docs/')})", index)


class Faults(Pages):
    """A page that is wrong is noticed."""

    PLANTED = [
        ("an unknown key", "```toml\n[server]\nadmn = \"127.0.0.1:9090\"\n```\n"),
        ("no TOML", "```toml\n[server\n```\n"),
        ("a rule that cannot be", "```toml\n[[rule]]\nname = \"a\"\naction = \"pass\"\n```\n"),
        ("an unknown command", "\n    stanzagate chek\n"),
        ("an unknown option", "\n    stanzagate explain --host example.org --form 192.0.2.1\n"),
        ("other output", "\n    $ stanzagate explain --host example.org --from 192.0.2.1\n    decided\n"),
        ("no such command of dev", "\n    ./dev packages\n"),
        ("an unknown language", "```basic\n10 GOTO 10\n```\n"),
        ("another answer", "```toml\n[registration]\nurl = \"https://example.org/r\"\n```\n\n"
         "```xml\nC: <iq id='1' to='example.org'/>\nS: <iq id='1' from='example.org'/>\n```\n"),
    ]

    def test_every_planted_fault(self):
        for what, text in self.PLANTED:
            with self.subTest(what):
                block = blocks_of("README.md", "\n" + text)[-1]
                with self.assertRaises((AssertionError, tomllib.TOMLDecodeError)):
                    test_of(block)(self)

    def test_what_is_right_passes(self):
        text = ("\n    $ stanzagate explain --host example.org --from 192.0.2.1\n    whitelist: ...\n"
                "    ...forward\n")
        test_of(blocks_of("x.md", text)[0])(self)


if __name__ == "__main__":
    main()
