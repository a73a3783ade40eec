"""A real Prosody with a configuration, a data folder and ports of its own."""

import re
from pathlib import Path

from .network import accepts, free_port
from .processes import Process, Server

OWN_MODULES = Path(__file__).resolve().parent.parent / "prosody_modules"
COMMUNITY_MODULES = Path("/usr/lib/prosody/modules")  # where Debian's prosody-modules puts them

_MODULES = ["roster", "saslauth", "tls", "disco", "ping", "register_ibr",
            "user_account_management", "stanza_debug"]


def lua(value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, (str, Path)):
        return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    if isinstance(value, dict):
        return "{ " + " ".join(f"[{lua(k)}] = {lua(v)};" for k, v in value.items()) + " }"
    return "{ " + " ".join(f"{lua(item)};" for item in value) + " }"


class Prosody(Server):
    """Prosody(folder, {"a.test": {option: value}}); a context manager. c2s_port is plain TCP.

    With `front_module` (one of prosody_modules/) what comes over TCP counts as secure, as with the
    community module mod_secure_interfaces, which Debian does not ship.
    """

    def __init__(self, folder: Path, hosts: dict[str, dict], options: dict | None = None,
                 modules: list[str] = (), name: str = "prosody"):
        self.folder = folder / name
        self.folder.mkdir()
        self.c2s_port = free_port()
        settings = {
            "run_as_root": True,
            "pidfile": self.folder / "prosody.pid",
            "data_path": self.folder / "data",
            "plugin_paths": [OWN_MODULES, COMMUNITY_MODULES],
            "interfaces": ["127.0.0.1"],
            "c2s_ports": [self.c2s_port],
            "s2s_ports": [],
            "c2s_direct_tls_ports": [],
            "http_ports": [],
            "https_ports": [],
            "modules_enabled": [*_MODULES, *modules],
            "modules_disabled": ["s2s", "offline"],
            "authentication": "internal_hashed",
            "storage": "internal",
            "allow_registration": True,
            "log": [{"levels": {"min": "debug"}, "to": "console"}],
            **(options or {}),
        }
        lines = [f"{key} = {lua(value)}" for key, value in settings.items()]
        for host, host_settings in hosts.items():
            lines.append(f"VirtualHost {lua(host)}")
            lines += [f"    {key} = {lua(value)}" for key, value in host_settings.items()]
        config = self.folder / "prosody.cfg.lua"
        config.write_text("\n".join(lines) + "\n")
        (self.folder / "data").mkdir()
        self.process = Process(name, ["prosody", "--config", config, "-F"], self.folder)

    def ready(self) -> bool:
        if "Error initializing module" in self.process.log():
            raise RuntimeError("a module does not load:\n" + self.process.log()[-4000:])
        return accepts(self.c2s_port)

    def registration_requests(self) -> list[str]:
        """Every iq in jabber:iq:register that a client's stream brought, as text."""
        stanzas = re.findall(r"RECV: (<iq\b.*?</iq>|<iq\b.*?/>)", self.process.log(), re.DOTALL)
        return [stanza for stanza in stanzas if "jabber:iq:register" in stanza]

    def accounts(self, host: str) -> set[str]:
        folder = self.folder / "data" / host.replace(".", "%2e") / "accounts"
        return {file.stem for file in folder.glob("*.dat")} if folder.exists() else set()
