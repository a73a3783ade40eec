"""The frame of a scenario: unittest, a temporary folder, and every log after a failure."""

import tempfile
import unittest
from pathlib import Path

from . import processes

_LOG_TAIL = 40000


class Scenario(unittest.TestCase):
    """cls.folder is removed afterwards. Servers are entered with enterClassContext."""

    folder: Path

    @classmethod
    def setUpClass(cls):
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="stanzagate-")))

    def temporary_folder(self) -> Path:
        return Path(self.enterContext(tempfile.TemporaryDirectory(dir=self.folder)))

    def assert_logged(self, process: processes.Process, text: str) -> None:
        self.assertTrue(text in process.log(), f"{process.name} did not log {text!r}")

    def assert_not_logged(self, process: processes.Process, text: str) -> None:
        self.assertFalse(text in process.log(), f"{process.name} logged {text!r}")


def main() -> None:
    program = unittest.main(module="__main__", exit=False, verbosity=2, warnings="ignore")
    if not program.result.wasSuccessful():
        for process in processes.started:
            print(f"\n----- {process.name}: {' '.join(process.argv)}", flush=True)
            print(process.log()[-_LOG_TAIL:], flush=True)
        raise SystemExit(1)
