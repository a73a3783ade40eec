"""A real jabberd2 with a configuration, a database and ports of its own.

Three programs: the router, the session manager, and c2s, where clients connect. c2s reads no PROXY
header: to it every client comes from the gate.
"""

import sqlite3
from pathlib import Path

from .network import free_port
from .processes import Process

_CONNECTION = "<router><ip>127.0.0.1</ip><port>{router_port}</port></router><log type='stdout'/>"

_ROUTER = """\
<router>
  <log type='stdout'/>
  <local>
    <ip>127.0.0.1</ip><port>{router_port}</port>
    <users>{folder}/router-users.xml</users>
  </local>
  <aci><acl type='all'><user>jabberd</user></acl></aci>
</router>
"""

_ROUTER_USERS = "<users><user><name>jabberd</name><secret>secret</secret></user></users>"

_SESSION_MANAGER = """\
<sm>
  """ + _CONNECTION + """
  <local><id>{host}</id></local>
  <storage>
    <path>{modules}</path><driver>sqlite</driver>
    <sqlite><dbname>{folder}/storage</dbname></sqlite>
  </storage>
  <modules>
    <path>{modules}</path>
    <chain id='in-sess'>
      <module>validate</module><module>roster</module><module>disco</module>
      <module>presence</module><module>deliver</module>
    </chain>
    <chain id='in-router'>
      <module>session</module><module>validate</module><module>presence</module>
    </chain>
    <chain id='pkt-user'>
      <module>roster</module><module>presence</module><module>deliver</module>
    </chain>
    <chain id='pkt-router'><module>session</module></chain>
    <chain id='user-load'><module>active</module><module>roster</module></chain>
    <chain id='user-create'><module>active</module></chain>
    <chain id='user-delete'><module>active</module></chain>
  </modules>
</sm>
"""

_C2S = """\
<c2s>
  """ + _CONNECTION + """
  <local>
    <id register-enable='yes'>{host}</id>
    <ip>127.0.0.1</ip><port>{c2s_port}</port>
  </local>
  <authreg>
    <path>{modules}</path><module>sqlite</module>
    <mechanisms>
      <traditional><plain/></traditional>
      <sasl><plain/></sasl>
    </mechanisms>
    <sqlite>
      <dbname>{folder}/accounts</dbname>
      <password_type><plaintext/></password_type>
    </sqlite>
  </authreg>
</c2s>
"""

_ACCOUNTS = "CREATE TABLE authreg (username TEXT NOT NULL, realm TEXT NOT NULL, password TEXT);"

# What the modules above read and write.
_STORAGE = """
CREATE TABLE active ("collection-owner" TEXT NOT NULL, "object-sequence" INTEGER PRIMARY KEY,
    time INTEGER NOT NULL DEFAULT 0);
CREATE TABLE "roster-items" ("collection-owner" TEXT NOT NULL,
    "object-sequence" INTEGER PRIMARY KEY, jid TEXT NOT NULL, name TEXT, "to" BOOLEAN NOT NULL,
    "from" BOOLEAN NOT NULL, ask INTEGER NOT NULL);
CREATE TABLE "roster-groups" ("collection-owner" TEXT NOT NULL,
    "object-sequence" INTEGER PRIMARY KEY, jid TEXT NOT NULL, "group" TEXT NOT NULL);
"""


class Jabberd2:
    """Jabberd2(folder, "a.test"), which lets anybody register; a context manager. c2s_port is plain
    TCP."""

    def __init__(self, folder: Path, host: str):
        self.folder = folder / "jabberd2"
        self.folder.mkdir()
        self.c2s_port = free_port()
        settings = {"host": host, "c2s_port": self.c2s_port, "router_port": free_port(),
                    "folder": self.folder, "modules": _module_folder()}
        for name, text in (("router", _ROUTER), ("router-users", _ROUTER_USERS),
                           ("sm", _SESSION_MANAGER), ("c2s", _C2S)):
            (self.folder / f"{name}.xml").write_text(text.format(**settings))
        for name, tables in (("accounts", _ACCOUNTS), ("storage", _STORAGE)):
            with sqlite3.connect(self.folder / name) as database:
                database.executescript(tables)
        self._processes = [(self._process(name), ready) for name, ready in
                           (("router", "listening for"), ("sm", "ready for sessions"),
                            ("c2s", "ready for connections"))]

    def _process(self, name: str) -> Process:
        # Where Debian has it, which not every PATH names.
        return Process(name, [f"/usr/sbin/jabberd2-{name}", "-c", self.folder / f"{name}.xml"],
                       self.folder)

    def __enter__(self):
        try:
            for process, ready in self._processes:
                process.start().wait_for_log(ready)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process, _ in reversed(self._processes):
            process.stop()

    def accounts(self) -> set[str]:
        with sqlite3.connect(self.folder / "accounts", timeout=10) as database:
            return {user for user, in database.execute("SELECT username FROM authreg")}


def _module_folder() -> Path:
    """/usr/lib/x86_64-linux-gnu/jabberd2 on one machine."""
    for module in Path("/usr/lib").glob("*/jabberd2/authreg_sqlite.so"):
        return module.parent
    raise RuntimeError("jabberd2 is not installed")
