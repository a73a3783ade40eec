#!/usr/bin/python3
"""Certificates and OCSP responses that change under a running gate, as certbot, acme.sh and others
change them: new connections see the new ones, nobody who is logged in notices, and what cannot be
used stays out."""

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

from harness.admin import Metrics, admin_address, ask, status
from harness.certificates import Certificate, make_certificate
from harness.certified import HOST, Certified, der, s_client
from harness.gate import LISTENERS, run_program
from harness.processes import wait_until
from harness.scenario import main

OTHER = "other.test"


class Lineage:
    """What certbot keeps of one name below live/ and archive/."""

    def __init__(self, root: Path, name: str):
        self.live, self.archive = root / "live" / name, root / "archive" / name
        self.name, self.number = name, 0
        self.live.mkdir(parents=True)
        self.archive.mkdir(parents=True)

    def renew(self, scratch: Path, between=lambda: None, **options) -> bytes:
        """New files in archive/, then link after link: gone, and made anew. `between` is called
        before the last of them."""
        made = make_certificate(scratch, self.name, **options)
        self.number += 1
        texts = {"cert": made.certificate, "chain": made.certificate,
                 "fullchain": made.certificate, "privkey": made.key}
        for kind, source in texts.items():
            shutil.copy(source, self.archive / f"{kind}{self.number}.pem")
        for kind in texts:
            if kind == "privkey":
                between()
            link = self.live / f"{kind}.pem"
            link.unlink(missing_ok=True)
            link.symlink_to(f"../../archive/{self.name}/{kind}{self.number}.pem")
        return der(made.certificate)


class Replaced(Certified):
    def test_certbot(self):
        root = self.temporary_folder()
        lineage = Lineage(root, HOST)
        first = lineage.renew(self.temporary_folder())
        gate = self.gate(self.host(f'certificate = "{lineage.live}/fullchain.pem"\n'
                                   f'key = "{lineage.live}/privkey.pem"'))
        held = self.log_in(gate)
        self.assertEqual(self.shown(gate), first)
        for _ in range(2):
            self.wait_until_shown(gate, lineage.renew(self.temporary_folder()))
            self.assertTrue(held.lives())
        # Long enough between two links for the gate to see a pair that does not match.
        renewed = lineage.renew(self.temporary_folder(), between=lambda: time.sleep(1))
        self.wait_until_shown(gate, renewed)
        self.assertTrue(held.lives())
        self.no_errors(gate)
        told = self.wait_for_event(gate, "certificate_reloaded", 3, host=HOST)
        self.assertEqual(told["file"], f"{lineage.live}/fullchain.pem")
        self.assertRegex(told["expires"], r"^20\d\d-\d\d-\d\d$")

    def test_acme_sh(self):
        """`--install-cert` writes over the files: the key, and then the certificate."""
        installed = make_certificate(self.temporary_folder(), HOST)
        gate = self.gate(self.host(self.files(installed)))
        held = self.log_in(gate)
        for pause in 0.0, 1.0:
            renewed = make_certificate(self.temporary_folder(), HOST)
            installed.key.write_bytes(renewed.key.read_bytes())
            time.sleep(pause)
            text = renewed.certificate.read_bytes()
            with installed.certificate.open("wb", buffering=0) as out:  # in two pieces
                out.write(text[:len(text) // 2])
                time.sleep(pause / 2)
                out.write(text[len(text) // 2:])
            self.wait_until_shown(gate, der(renewed.certificate))
            self.assertTrue(held.lives())
        self.no_errors(gate)

    def test_bad_ones_stay_out(self):
        mine = make_certificate(self.temporary_folder(), HOST)
        other = make_certificate(self.temporary_folder(), OTHER)
        gate = self.gate(self.host(self.files(mine)) + self.host(self.files(other), OTHER))
        held, first = self.log_in(gate), self.shown(gate)
        line = str(gate.config_file.read_text()[:gate.config_file.read_text().index(
            f'key = ["{mine.key}')].count("\n") + 1)

        stranger = make_certificate(self.temporary_folder(), HOST)
        os.replace(stranger.key, mine.key)
        told = self.wait_for_event(gate, "certificate", level="error")
        self.assertEqual((told["file"], told["line"]), (str(gate.config_file), line))
        self.assertIn("is not the key of the first certificate", told["message"])
        self.assertEqual(told["consequence"], "the certificate in use stays")
        self.assertEqual(self.shown(gate), first)
        # The other host's is taken all the same.
        renewed = make_certificate(self.temporary_folder(), OTHER)
        os.replace(renewed.key, other.key)
        os.replace(renewed.certificate, other.certificate)
        self.wait_until_shown(gate, der(other.certificate), OTHER)
        self.assertEqual(self.shown(gate), first)
        metrics = Metrics(ask(admin_address(gate), "/metrics")[2])
        self.assertGreaterEqual(metrics["reloads_total", frozenset({("result", "failed")})], 1)
        # SIGHUP takes all or nothing.
        gate.process.signal(signal.SIGHUP)
        self.wait_for_event(gate, "reload_failed")
        self.assertEqual(self.shown(gate), first)
        os.replace(stranger.certificate, mine.certificate)
        self.wait_until_shown(gate, der(mine.certificate))
        self.assertTrue(held.lives())

    def test_files_that_are_nonsense_or_gone(self):
        mine = make_certificate(self.temporary_folder(), HOST)
        gate = self.gate(self.host(self.files(mine)))
        held, first, good = self.log_in(gate), self.shown(gate), mine.certificate.read_bytes()
        mine.certificate.write_text("nothing of use\n")
        told = self.wait_for_event(gate, "certificate", level="error")
        self.assertIn("no certificate in", told["message"])
        mine.certificate.unlink()
        told = self.wait_for_event(gate, "certificate", 2, level="error")
        self.assertIn("No such file", told["message"])
        self.assertEqual(self.shown(gate), first)
        subprocess.run(["openssl", "ec", "-aes256", "-passout", "pass:secret", "-in", mine.key,
                        "-out", mine.key], check=True, capture_output=True)
        mine.certificate.write_bytes(good)
        told = self.wait_for_event(gate, "certificate", 3, level="error")
        self.assertIn("is encrypted", told["message"])
        self.assertEqual(self.shown(gate), first)
        self.assertTrue(held.lives())

    def test_the_expiry_is_that_of_the_new_one(self):
        mine = make_certificate(self.temporary_folder(), HOST)
        gate = self.gate(self.host(self.files(mine)))

        def days_left() -> float:
            metrics = Metrics(ask(admin_address(gate), "/metrics")[2])
            return metrics["certificate_expiry_seconds", frozenset({("host", HOST)})] / 86400

        self.assertAlmostEqual(days_left(), 30, delta=1)
        renewed = self.temporary_folder()
        subprocess.run(["openssl", "req", "-x509", "-key", mine.key, "-days", "90", "-subj",
                        f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}", "-out",
                        renewed / "crt"], check=True, capture_output=True)
        os.replace(renewed / "crt", mine.certificate)
        self.wait_until_shown(gate, der(mine.certificate))
        wait_until(lambda: abs(days_left() - 90) < 1, "the metrics have the new expiry", 5)
        [told] = status(gate)["certificates"]
        expires = self.wait_for_event(gate, "certificate_reloaded")["expires"]
        self.assertEqual(told["expires"][:10], expires)


class Folders(Certified):
    def test_certbots(self):
        root = self.temporary_folder()
        shared = Lineage(root, HOST)
        first = make_certificate(self.temporary_folder(), HOST, OTHER)
        for kind, source in ("fullchain", first.certificate), ("privkey", first.key):
            shutil.copy(source, shared.live / f"{kind}.pem")
        live = f'certificate = "{root}/live"'
        gate = self.gate(self.host(live) + self.host(live, OTHER))
        held = self.log_in(gate)
        self.assertEqual(self.shown(gate, OTHER), der(first.certificate))
        # A sub-folder of its own appears.
        own = Lineage(root, OTHER).renew(self.temporary_folder())
        self.wait_until_shown(gate, own, OTHER)
        self.assertEqual(self.shown(gate), der(first.certificate))
        self.assertTrue(held.lives())
        self.no_errors(gate)

    def test_acme_shs(self):
        root = self.temporary_folder()

        def lay(ending: str, kind: str) -> bytes:
            made = make_certificate(self.temporary_folder(), HOST, kind=kind)
            folder = root / (HOST + ending)
            folder.mkdir()
            shutil.copy(made.key, folder / f"{HOST}.key")
            shutil.copy(made.certificate, folder / "fullchain.cer")
            return der(made.certificate)

        rsa = lay("", "rsa")
        gate = self.gate(self.host(f'certificate = "{root}"'))
        self.assertEqual(self.shown(gate), rsa)
        self.wait_until_shown(gate, lay("_ecc", "ecdsa"))
        self.assertIn("RSA-PSS", s_client(gate, "-sigalgs", "RSA-PSS+SHA256"))
        self.no_errors(gate)

    def test_what_was_looked_for(self):
        root = self.temporary_folder()
        place = self.temporary_folder() / "gate.toml"
        place.write_text(LISTENERS + '[registration]\nurl = "https://example.org/"\n'
                         + self.host(f'certificate = "{root}"'))
        found = run_program("check", "-c", place)
        self.assertEqual(found.returncode, 1)
        self.assertIn(f'no certificate for "{HOST}" in the folder "{root}"', found.stderr)


class Kinds(Certified):
    def test_each_client_is_shown_its_own(self):
        pair = [make_certificate(self.temporary_folder(), HOST, kind=kind) for kind in ("ecdsa", "rsa")]
        gate = self.gate(self.host(self.files(*pair)))
        held = self.log_in(gate)

        def signatures() -> list[str]:
            """Of a TLS 1.3 and a 1.2 client, both of which know one kind only."""
            said = [s_client(gate, "-tls1_3", "-sigalgs", "ECDSA+SHA256"),
                    s_client(gate, "-tls1_2", "-cipher", "aECDSA"),
                    s_client(gate, "-tls1_3", "-sigalgs", "RSA-PSS+SHA256"),
                    s_client(gate, "-tls1_2", "-cipher", "aRSA")]
            return [re.search("Peer signature type: (ECDSA|RSA)", text)[1] for text in said]

        expected = ["ECDSA", "ECDSA", "RSA", "RSA"]
        self.assertEqual(signatures(), expected)
        self.assertEqual(self.shown(gate), der(pair[0].certificate))  # who knows both
        renewed = make_certificate(self.temporary_folder(), HOST)
        os.replace(renewed.certificate, pair[0].certificate)
        os.replace(renewed.key, pair[0].key)
        self.wait_until_shown(gate, der(pair[0].certificate))
        self.assertEqual(signatures(), expected)
        self.assertTrue(held.lives())


class Ocsp(Certified):
    def setUp(self):
        """An authority, and a certificate of its own with its chain."""
        folder = self.temporary_folder()
        self.authority = make_certificate(folder, "authority.test")
        self.mine = Certificate(folder / "mine.pem", folder / "mine.key")
        request, extensions = folder / "request", folder / "extensions"
        extensions.write_text(f"subjectAltName=DNS:{HOST}\n")
        for command in (["req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={HOST}",
                         "-keyout", self.mine.key, "-out", request],
                        ["x509", "-req", "-in", request, "-CA", self.authority.certificate, "-CAkey",
                         self.authority.key, "-set_serial", "0x77", "-days", "30", "-extfile",
                         extensions, "-out", self.mine.certificate]):
            self.openssl(*command)
        with self.mine.certificate.open("a") as chain:
            chain.write(self.authority.certificate.read_text())

    def openssl(self, *command) -> None:
        subprocess.run(["openssl", *map(str, command)], check=True, capture_output=True)

    def response(self, state: str = "V", days: int | None = 3) -> bytes:
        """What the authority says of the certificate today."""
        folder = self.temporary_folder()
        index, request, response = folder / "index", folder / "request", folder / "response"
        revoked = "260101000000Z" if state == "R" else ""
        index.write_text(f"{state}\t491231235959Z\t{revoked}\t77\tunknown\t/CN={HOST}\n")
        ca = self.authority.certificate
        self.openssl("ocsp", "-issuer", ca, "-cert", self.mine.certificate, "-no_nonce", "-reqout",
                     request)
        self.openssl("ocsp", "-index", index, "-CA", ca, "-rsigner", ca, "-rkey",
                     self.authority.key, "-reqin", request, "-respout", response,
                     *(("-ndays", days) if days else ()))
        return response.read_bytes()

    def test_stapled_where_there_is_one(self):
        gate = self.gate(self.host(self.files(self.mine)))
        held = self.log_in(gate)
        self.assertIn("no response sent", s_client(gate, "-status"))
        file = Path(f"{self.mine.certificate}.ocsp")
        file.write_bytes(self.response())
        self.wait_for_event(gate, "certificate_reloaded", host=HOST)
        for version in "-tls1_2", "-tls1_3":
            said = s_client(gate, version, "-status", "-CAfile", self.authority.certificate)
            self.assertIn("OCSP Response Status: successful", said)
            self.assertIn("Cert Status: good", said)
            self.assertIn("Verify return code: 0 (ok)", said)
            self.assertNotIn("OCSP", s_client(gate, version))
        self.no_errors(gate)

        file.write_bytes(self.response("R"))
        told = self.wait_for_event(gate, "certificate", level="warning")
        self.assertIn("is revoked", told["message"])
        wait_until(lambda: "no response sent" in s_client(gate, "-status"), "it is stapled no more")
        self.assertTrue(held.lives())

    def test_not_where_it_has_no_end(self):
        Path(f"{self.mine.certificate}.ocsp").write_bytes(self.response(days=None))
        gate = self.gate(self.host(self.files(self.mine)))
        self.assertIn("no response sent", s_client(gate, "-status"))
        checked = run_program("check", "-c", gate.config_file)
        self.assertEqual(checked.returncode, 0)
        self.assertRegex(checked.stderr, rf"{gate.config_file}:\d+:\d+: warning: host.certificate: "
                         r"the OCSP response .* does not say until when it is good")


if __name__ == "__main__":
    main()
