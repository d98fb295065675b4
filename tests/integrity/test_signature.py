"""The detached signature over the root digest."""

from __future__ import annotations

import base64
import importlib.util
import json
import re
import shutil
import subprocess
from functools import partial

import pytest

from synnodtest.cli import main
from synnodtest.errors import RecordError, SynnodError
from synnodtest.files import sha256_of_file
from synnodtest.integrity import manifest, signature
from synnodtest.integrity.manifest import RECORD
from synnodtest.record import results as record
from synnodtest.report import html

there = importlib.util.find_spec("cryptography") is not None


@pytest.fixture
def run(filed, tmp_path):
    return shutil.copytree(filed, tmp_path / "run")


@pytest.fixture
def key(tmp_path):
    serialization = pytest.importorskip("cryptography.hazmat.primitives.serialization")
    ed25519 = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ed25519")
    path = tmp_path / "key.pem"
    path.write_bytes(
        ed25519.Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return path


@pytest.mark.skipif(there, reason="cryptography is installed")
def test_without_cryptography_the_extra_is_named(run, tmp_path):
    with pytest.raises(SynnodError, match="cryptography"):
        signature.sign(run, tmp_path / "key")


def test_a_signed_run_verifies_with_and_without_the_expected_key(run, key):
    content = json.loads(signature.sign(run, key, signer="A. Author").read_text())
    assert signature.verify(run) == []
    assert signature.verify(run, content["public_key"]) == []
    assert signature.verify(run, "SHA256:other")
    assert manifest.verify(run) == []


@pytest.mark.parametrize("blank", [" ", "\n", "\t \n"])
def test_a_blank_key_is_refused_and_never_taken_for_none(run, key, tmp_path, capsys, blank):
    signature.sign(run, key)
    with pytest.raises(RecordError, match="blank"):
        signature.verify(run, blank)
    (tmp_path / "blank.pub").write_text(blank)
    (tmp_path / "empty.pub").write_text("")
    for given in ("", blank, str(tmp_path / "blank.pub"), str(tmp_path / "empty.pub")):
        assert main(["verify", str(run), "--key", given]) == 1
        assert "no public key stands there" in capsys.readouterr().err


@pytest.mark.parametrize("signed", [True, False])
def test_what_is_no_public_key_is_refused_and_not_called_another_key(run, key, tmp_path, capsys, signed):
    if signed:
        signature.sign(run, key)
    (tmp_path / "rsa.pub").write_text("ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAYQ== me@here\n")
    for given in ("nowhere.pub", str(tmp_path / "rsa.pub"), str(key), "QUJD"):
        assert main(["verify", str(run), "--key", given]) == 1
        assert "no public key stands there" in capsys.readouterr().err


def test_who_signs_in_place_of_another_is_told_so(run, key, capsys):
    assert main(["sign", str(run), "--key", str(key), "--signer", "A. Author"]) == 0
    assert "in place of" not in capsys.readouterr().out
    assert main(["sign", str(run), "--key", str(key), "--signer", "B. Reviewer"]) == 0
    assert re.search(r"B\. Reviewer.*; in place of that of A\. Author, 20", capsys.readouterr().out)


def test_a_changed_run_and_a_foreign_signature_are_found_out(run, key, drawings):
    path = signature.sign(run, key)
    made = record.read(run)
    made["run"]["seed"] += 1
    record.write(made, run)
    html.render(made, run, store=drawings)
    manifest.write(run)
    assert signature.verify(run) == [
        "manifest.sig.json: signs another root digest than that of the files",
        "manifest.sig.json: signs another report.html",
    ]
    content = json.loads(path.read_text()) | {"root_sha256": manifest.root_digest(run)}
    content["report_sha256"] = sha256_of_file(run / manifest.REPORT)
    path.write_text(json.dumps(content))
    assert signature.verify(run) == ["manifest.sig.json: the signature does not belong to digest and key"]


def test_a_report_that_was_changed_after_signing_is_found_out_though_the_manifest_was_written_again(run, key, drawings):
    html.render(record.load(run / RECORD), run, store=drawings)
    manifest.write(run)
    signature.sign(run, key)
    html.render(record.load(run / RECORD), run, store=drawings)
    assert signature.verify(run) == []
    page = run / manifest.REPORT
    page.write_text(page.read_text(encoding="utf-8").replace("FAILED", "PASSED"), encoding="utf-8")
    manifest.write(run)
    assert manifest.verify(run) == []
    assert signature.verify(run) == ["manifest.sig.json: signs another report.html"]
    page.unlink()
    assert signature.verify(run) == ["manifest.sig.json: signs another report.html"]


def test_who_signed_and_when_is_signed_too(run, key):
    path = signature.sign(run, key, signer="A. Author")
    content = json.loads(path.read_text())
    for bent in ({"signer": "B. Other"}, {"signed": "2020-01-01T00:00:00+00:00"}, {"synnodtest_signature": 2}):
        path.write_text(json.dumps(content | bent))
        assert signature.verify(run) == ["manifest.sig.json: the signature does not belong to digest and key"]
    for unknown in (0, 4, None, "3"):
        path.write_text(json.dumps(content | {"synnodtest_signature": unknown}))
        with pytest.raises(RecordError, match="version"):
            signature.verify(run)


def test_a_signature_of_the_second_version_holds_and_says_that_its_name_is_not_signed(run, key):
    path = signature.sign(run, key, signer="A. Author")
    assert "not signed" not in signature.told(run)
    serialization = importlib.import_module("cryptography.hazmat.primitives.serialization")
    private = serialization.load_pem_private_key(key.read_bytes(), None)
    content = json.loads(path.read_text()) | {"synnodtest_signature": 2}
    text = f"synnodtest root digest {content['root_sha256']}\nreport {content['report_sha256']}\n"
    content["signature"] = base64.b64encode(private.sign(text.encode())).decode()
    path.write_text(json.dumps(content))
    assert signature.verify(run) == []
    assert signature.told(run).startswith(f"A. Author, {content['signed']} (which are not signed), key SHA256:")


def test_a_signature_of_the_first_version_holds_and_says_what_it_leaves_out(run, key):
    path = signature.sign(run, key)
    serialization = importlib.import_module("cryptography.hazmat.primitives.serialization")
    private = serialization.load_pem_private_key(key.read_bytes(), None)
    content = json.loads(path.read_text())
    del content["report_sha256"]
    signed = private.sign(f"synnodtest root digest {content['root_sha256']}\n".encode())
    first = {"synnodtest_signature": 1, "signature": base64.b64encode(signed).decode()}
    path.write_text(json.dumps(content | first))
    assert signature.verify(run) == []
    assert signature.told(run).endswith("of the files without report.html")
    path.write_text(json.dumps(content | {"synnodtest_signature": 1}))
    assert signature.verify(run) == ["manifest.sig.json: the signature does not belong to digest and key"]


def test_a_report_that_is_drawn_otherwise_says_that_the_signature_is_of_the_one_before(run, key, capsys, monkeypatch):
    page, drawn = run / manifest.REPORT, ["one", "one", "another"]

    def render(made, folder, **options):
        page.write_text(f"{drawn.pop(0)} {manifest.root_digest(folder)}")
        return page

    monkeypatch.setattr(html, "render", render)
    assert main(["report", str(run)]) == 0
    signature.sign(run, key)
    assert main(["report", str(run)]) == 0
    assert capsys.readouterr().err == ""
    assert signature.verify(run) == []
    assert main(["report", str(run)]) == 0
    assert "signs the report as it was before" in capsys.readouterr().err
    assert signature.verify(run) == ["manifest.sig.json: signs another report.html"]


def test_a_run_that_does_not_verify_is_not_signed(run, key):
    (run / "evidence" / "extra").write_text("x")
    with pytest.raises(RecordError, match="not signed"):
        signature.sign(run, key)


def test_a_run_at_which_commands_were_killed_is_drawn_and_signed_by_the_next(run, key, drawings, monkeypatch):
    monkeypatch.setattr(html, "render", partial(html.render, store=drawings))
    files = [manifest.SIGNATURE, manifest.REPORT, manifest.FILE_NAME]
    for again in (["report", str(run)], ["sign", str(run), "--key", str(key)]):
        for file in files:
            (run / f".{file}.0_9azk3x").write_text("{")
        assert len(manifest.verify(run)) == len(files)
        assert main(again) == 0
        assert manifest.verify(run) == []
    assert signature.verify(run) == []


def test_rubbish_for_a_key_is_refused(run, key):
    key.write_text("hello")
    with pytest.raises(RecordError, match="not a usable private key"):
        signature.sign(run, key)


def test_fingerprint_and_public_key_are_those_of_ssh_keygen(run, tmp_path):
    pytest.importorskip("cryptography")
    if shutil.which("ssh-keygen") is None:
        pytest.skip("no ssh-keygen here")
    for name in ("mine", "other"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / name], check=True)
    signature.sign(run, tmp_path / "mine")
    said = subprocess.run(["ssh-keygen", "-lf", tmp_path / "mine.pub"], check=True, capture_output=True, text=True)
    assert signature.verify(run, said.stdout.split()[1]) == []
    assert signature.verify(run, (tmp_path / "mine.pub").read_text()) == []
    assert signature.verify(run, (tmp_path / "other.pub").read_text()) != []
