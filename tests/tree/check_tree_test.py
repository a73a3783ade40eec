#!/usr/bin/python3
"""Every check of check_tree.py is seen failing, once, in a tree that is otherwise fine."""

import tempfile
import unittest
from pathlib import Path

from check_tree import check

FINE = {
    "config/settings.hpp": "#pragma once\n#include <string>\n",
    "config/settings.cpp": '#include "config/settings.hpp"\n\n#include <toml++/toml.h>\n',
    "certs/keys.hpp": '#pragma once\n#include <openssl/ssl.h>\n#include "config/settings.hpp"\n',
    "certs/keys.cpp": '// Comment first.\n#include "certs/keys.hpp"\n',
    "filters/gate.hpp": '#pragma once\n#include <expat.h>\n#include "config/settings.hpp"\n',
    "filters/gate.cpp": '#include "filters/gate.hpp"\n// now() would be a clock::now()\n',
    "proxy/session.hpp": '#pragma once\n#include "certs/keys.hpp"\n#include "filters/gate.hpp"\n'
                         "#include <boost/asio/ip/tcp.hpp>\n#include <thread>\n"
                         "namespace stanzagate::proxy {\nstruct Report {\n};\nclass Later;\n",
    "proxy/main.cpp": '#include "proxy/session.hpp"\n#include <spdlog/spdlog.h>\n',
    "tests/filters/gate_test.cpp": '#include "filters/gate.hpp"\n#include <gtest/gtest.h>\n'
                                    "TEST_F(Gate,\n       Opens) {}\n",
    "docs/conformance.md": "| 1 | it opens | `Gate.Opens` |\n",
    "build/generated.hpp": "#include <boost/asio.hpp>\n",
    "tests/long.py": "# Longer than 400 lines: it is a table.\n" + "1\n" * 500,
}

# (what is planted, where, its text, a piece of the message)
PLANTED = [
    ("config includes certs", "config/a.cpp", '#include "certs/keys.hpp"\n', "certs/"),
    ("config includes filters", "config/a.cpp", '#include "filters/gate.hpp"\n', "filters/"),
    ("certs include filters", "certs/a.cpp", '#include "filters/gate.hpp"\n', "filters/"),
    ("certs include proxy", "certs/a.cpp", '#include "proxy/session.hpp"\n', "proxy/"),
    ("filters include certs", "filters/a.cpp", '#include "certs/keys.hpp"\n', "certs/"),
    ("filters include proxy", "filters/a.hpp", '#pragma once\n#include "proxy/session.hpp"\n',
     "proxy/"),
    ("config uses Asio", "config/a.cpp", "#include <boost/asio/ip/address.hpp>\n", "Asio"),
    ("config uses OpenSSL", "config/a.cpp", "#include <openssl/x509.h>\n", "OpenSSL"),
    ("config uses Expat", "config/a.cpp", "#include <expat.h>\n", "Expat"),
    ("certs use Expat", "certs/a.cpp", "#include <expat.h>\n", "Expat"),
    ("certs use Asio", "certs/a.cpp", "# include <boost/asio/ssl/context.hpp>\n", "Asio"),
    ("filters use Asio", "filters/a.cpp", "#include <boost/asio/buffer.hpp>\n", "Asio"),
    ("filters use OpenSSL", "filters/a.cpp", "#include <openssl/evp.h>\n", "OpenSSL"),
    ("filters use threads", "filters/a.cpp", "#include <mutex>\n", "threads"),
    ("filters log", "filters/a.cpp", "#include <spdlog/spdlog.h>\n", "spdlog"),
    ("filters use sockets", "filters/a.cpp", "#include <sys/socket.h>\n", "sockets"),
    ("filters read a clock", "filters/a.cpp", "auto t = std::chrono::steady_clock::now();\n",
     "clock"),
    ("an umbrella", "proxy/a.cpp", "#include <boost/asio.hpp>\n", "everything"),
    ("a type of the same name", "proxy/status.hpp",
     "#pragma once\nnamespace stanzagate::proxy {\nclass Later;\nclass Report : Other {\n",
     "Report is the name of a type"),
    ("no guard", "proxy/a.hpp", "struct A {};\n", "#pragma once"),
    ("own header second", "config/settings.cpp",
     '#include <string>\n#include "config/settings.hpp"\n', "first include"),
    ("not from the root", "proxy/a.cpp", '#include "session.hpp"\n', "from the root"),
    ("toml++ twice", "config/a.cpp", "#include <toml++/toml.h>\n", "belongs in one"),
    ("toml++ in a header", "config/a.hpp", "#pragma once\n#include <toml++/toml.h>\n", ".cpp of"),
    ("toml++ elsewhere", "proxy/a.cpp", "#include <toml++/toml.h>\n", ".cpp of config"),
    ("a long file", "proxy/a.cpp", "int a;\n" * 401, "401 lines"),
    ("a long script", "dev", "echo\n" * 401, "401 lines"),
    ("a test that is not there", "docs/conformance.md", "| 1 | it opens | `Gate.Opened` |\n",
     "Gate.Opened"),
    ("no reason given", "proxy/a.cpp", "int a;\n" * 401 + "// Longer than 400 lines:\n", "lines"),
]


class Tree(unittest.TestCase):
    def problems(self, *extra: tuple[str, str]) -> list[str]:
        with tempfile.TemporaryDirectory() as folder:
            for name, text in [*FINE.items(), *extra]:
                file = Path(folder) / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
            return check(Path(folder))

    def test_a_fine_tree(self):
        self.assertEqual(self.problems(), [])

    def test_every_planted_fault(self):
        for what, name, text, message in PLANTED:
            with self.subTest(what):
                problems = self.problems((name, text))
                self.assertTrue(any(problem.startswith(f"{name}:") and message in problem
                                    for problem in problems), problems)


if __name__ == "__main__":
    unittest.main()
