"""The detached signature over the root digest."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess

import pytest

from synnodtest.errors import RecordError, SynnodError
from synnodtest.integrity import manifest, signature
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


def test_a_changed_run_and_a_foreign_signature_are_found_out(run, key):
    path = signature.sign(run, key)
    made = record.read(run)
    made["run"]["seed"] += 1
    record.write(made, run)
    html.render(made, run)
    manifest.write(run)
    assert signature.verify(run) == ["manifest.sig.json: signs another root digest than that of the files"]
    content = json.loads(path.read_text()) | {"root_sha256": manifest.root_digest(run)}
    path.write_text(json.dumps(content))
    assert signature.verify(run) == ["manifest.sig.json: the signature does not belong to digest and key"]


def test_a_run_that_does_not_verify_is_not_signed(run, key):
    (run / "evidence" / "extra").write_text("x")
    with pytest.raises(RecordError, match="not signed"):
        signature.sign(run, key)


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
