#!/usr/bin/python3
"""How the program was built: what cmake/hardening.cmake asks for has arrived in it. A sanitized build, which
guards memory in its own way, is not looked at."""

import platform
import re
import subprocess
import unittest

from harness.gate import is_sanitized, program


def readelf(*options: str) -> str:
    return subprocess.run(["readelf", "-W", *options, program()], check=True, capture_output=True,
                          text=True).stdout


class Binary(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if is_sanitized():
            raise unittest.SkipTest("a sanitized build")
        cls.symbols = readelf("--dyn-syms")

    def imported(self, pattern: str) -> set[str]:
        return set(re.findall(rf"UND ({pattern})(?:@|\s)", self.symbols))

    def test_its_place_is_random(self):
        self.assertRegex(readelf("-h"), r"Type:\s+DYN")
        self.assertRegex(readelf("-d"), r"FLAGS_1.*\bPIE\b")
        self.assertNotIn("TEXTREL", readelf("-d"))

    def test_its_tables_are_read_only(self):
        self.assertIn("GNU_RELRO", readelf("-l"))
        self.assertRegex(readelf("-d"), r"FLAGS.*\bNOW\b|BIND_NOW")

    def test_nothing_is_writable_and_executable(self):
        segments = re.findall(r"^\s+(LOAD|GNU_STACK)\s.*?\s([R ][W ][E ])\s", readelf("-l"), re.M)
        self.assertIn("GNU_STACK", {kind for kind, _ in segments})
        for kind, flags in segments:
            self.assertFalse("W" in flags and "E" in flags, (kind, flags))
            self.assertFalse(kind == "GNU_STACK" and "E" in flags)

    def test_its_stack_is_guarded(self):
        self.assertEqual(self.imported("__stack_chk_fail"), {"__stack_chk_fail"})

    def test_sizes_are_checked(self):
        """Some calls of the C library have become their checking sisters (_FORTIFY_SOURCE)."""
        self.assertTrue(self.imported(r"__\w+_chk"))

    def test_the_library_checks_what_it_is_asked(self):
        """_GLIBCXX_ASSERTIONS: vector[], span[], optional* end the program where they must not be."""
        self.assertEqual(self.imported("_ZSt21__glibcxx_assert_failPKciS0_S0_"),
                         {"_ZSt21__glibcxx_assert_failPKciS0_S0_"})

    @unittest.skipUnless(platform.machine() == "x86_64", "an Intel and AMD feature")
    def test_jumps_have_marked_targets(self):
        """-fcf-protection: functions that can be called by pointer begin with endbr64."""
        code = subprocess.run(["objdump", "-d", "--no-show-raw-insn", "--section=.text", program()],
                              check=True, capture_output=True, text=True).stdout
        self.assertGreater(code.count("endbr64"), 500)

    def test_the_stack_is_touched_page_by_page(self):
        """-fstack-clash-protection: a big frame is probed as it grows."""
        code = subprocess.run(["objdump", "-d", "--no-show-raw-insn", "--section=.text", program()],
                              check=True, capture_output=True, text=True).stdout
        self.assertRegex(code, r"sub\s+\$0x1000,%rsp\s*\n.*or[ql]\s+\$0x0,")


if __name__ == "__main__":
    unittest.main(verbosity=2)
