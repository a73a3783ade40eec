"""Files over HTTP on loopback, for pages in a browser."""

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class _Handler(SimpleHTTPRequestHandler):
    extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".js": "text/javascript",
                      ".mjs": "text/javascript", ".wasm": "application/wasm"}

    def __init__(self, *arguments, roots: dict[str, Path], **settings):
        self._roots = roots
        super().__init__(*arguments, **settings)

    def translate_path(self, path: str) -> str:
        """/NAME/REST is REST below the root of that name; the base class has no way out of it."""
        name, _, rest = path.lstrip("/").partition("/")
        self.directory = str(self._roots.get(name, "/nonexistent"))
        return super().translate_path("/" + rest)

    def log_message(self, *_) -> None:
        pass


class StaticFiles:
    """A context manager. StaticFiles(pages=FOLDER): FOLDER/x.html is at url + "/pages/x.html"."""

    def __init__(self, **roots: Path):
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, roots=roots))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "StaticFiles":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self._server.shutdown()
        self._server.server_close()
