"""A real ejabberd with a configuration, a database and ports of its own.

Its Erlang node is not distributed: no name, no cookie, no epmd, and ejabberdctl (which insists on a
user of its own) is not needed.
"""

import re
import subprocess
from pathlib import Path

from .network import accepts, free_port
from .processes import Process, Server

OWN_MODULES = Path(__file__).resolve().parent.parent / "ejabberd_modules"

_CONFIGURATION = """\
hosts: [{hosts}]
loglevel: debug
hide_sensitive_log_data: false
auth_method: [internal]
auth_password_format: scram
listen:
  -
    port: {port}
    ip: "127.0.0.1"
    module: ejabberd_c2s
    access: c2s
    use_proxy_protocol: {use_proxy_protocol}
    max_stanza_size: 262144
{listeners}acl:
  registrars:
    ip: [{registrars}]
access_rules:
  c2s: [allow]
  registrars: [allow: registrars]
modules:
  mod_register:
    access: all
    ip_access: registrars
    access_from: all
    password_strength: 0
  mod_roster: {{}}
  mod_disco: {{}}
  mod_ping: {{}}
{modules}registration_timeout: infinity
{options}"""


class Ejabberd(Server):
    """Ejabberd(folder, ["e.test"]); a context manager. c2s_port is plain TCP, with a PROXY header
    first where use_proxy_protocol. Only addresses in `registrars` may register in band. With a
    `stanzas` file it writes there what it reads, and answers none of it (ejabberd_modules/).
    `listeners` and `options` are further lines of its configuration."""

    def __init__(self, folder: Path, hosts: list[str], use_proxy_protocol: bool = True,
                 registrars: list[str] = ("127.0.0.1/32",), stanzas: Path | None = None,
                 listeners: str = "", options: str = ""):
        self.folder = folder / "ejabberd"
        self.folder.mkdir()
        self.c2s_port = free_port()
        configuration = self.folder / "ejabberd.yml"
        configuration.write_text(
            _CONFIGURATION.format(
                hosts=", ".join(f'"{host}"' for host in hosts),
                port=self.c2s_port,
                use_proxy_protocol="true" if use_proxy_protocol else "false",
                registrars=", ".join(f'"{address}"' for address in registrars),
                listeners=listeners,
                options=options,
                modules="  mod_test_stanzas: {}\n" if stanzas else "",
            )
        )
        program = ["erl", "-noinput", "-mnesia", "dir", f'"{self.folder / "database"}"']
        program += ["-env", "ERL_CRASH_DUMP_BYTES", "0", "-s", "ejabberd"]
        environment = {
            "EJABBERD_CONFIG_PATH": str(configuration),
            "EJABBERD_LOG_PATH": str(self.folder / "server.log"),
            "ERL_LIBS": str(_library_folder()),
            "HOME": str(self.folder),
        }
        if stanzas:
            module = OWN_MODULES / "mod_test_stanzas.erl"
            subprocess.run(["erlc", "-o", self.folder, module], check=True)
            program += ["-pa", str(self.folder)]
            environment["STANZAS"] = str(stanzas)
        self.process = Process("ejabberd", program, self.folder, environment)

    def ready(self) -> bool:
        return accepts(self.c2s_port)

    def registration_requests(self) -> list[str]:
        """Every stanza in jabber:iq:register that a client's stream brought, as logged."""
        received = re.findall(r"Received XML on stream = <<\"(.*?)\">>\n", self.process.log())
        return [stanza for stanza in received if "jabber:iq:register" in stanza]


def _library_folder() -> Path:
    """Debian's folder of Erlang libraries: /usr/lib/x86_64-linux-gnu on one machine."""
    for application in Path("/usr/lib").glob("*/ejabberd-*/ebin"):
        return application.parent.parent
    raise RuntimeError("ejabberd is not installed")
