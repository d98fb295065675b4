"""``synnodtest report``, ``explore``, ``verify``, ``sbom`` and ``sign``."""

from __future__ import annotations

import argparse
import getpass
import sys
from contextlib import suppress
from os.path import relpath
from pathlib import Path
from urllib.parse import quote

from synnodtest.counted import counted
from synnodtest.errors import RecordError
from synnodtest.integrity import manifest
from synnodtest.integrity.manifest import RECORD


def configure(name: str, parser: argparse.ArgumentParser) -> None:
    """Add arguments and the function of one command."""
    add = parser.add_argument
    if name == "report":
        add("record", type=Path, help="results.json, or the folder of a run")
        add("--no-pixels", action="store_true", help="leave pictures out")
    elif name == "explore":
        add("run_folder", metavar="RUN", type=Path, help="folder of a run: reports/<run>")
        add("--against", type=Path, metavar="RUN2", help="folder of another run on the same scenes")
        add("--out", type=Path, help="the page to write (default: explore-<RUN2>.html beside RUN's folder)")
    elif name == "sbom":
        add("report", type=Path, help="folder of a report, or its results.json", metavar="RUN")
        add("--out", type=Path, metavar="FILE", help="default: sbom.cdx.json in the working directory")
    else:
        add("folder", type=_folder, help="folder of a run: reports/<run>, or its results.json")
    if name == "sign":
        add("--key", type=Path, required=True, help="Ed25519 private key (ssh-keygen -t ed25519)")
        add("--signer", default="", help="who signs, as text")
        add("--password", action="store_true", help="ask for the password of the key")
    if name == "verify":
        add("--inputs", type=Path, metavar="DIR", help="also hold the project's specs against the run")
        add("--key", help="expected key: its .pub file or fingerprint (SHA256:...)")
    runs = {"report": _report, "explore": _explore, "sbom": _sbom, "sign": _sign, "verify": _verify}
    parser.set_defaults(run=runs[name])


def _folder(text: str) -> Path:
    path = Path(text)
    return path.parent if path.name == RECORD and path.is_file() else path


def _report(options: argparse.Namespace) -> None:
    from synnodtest.record import results as record
    from synnodtest.report import html

    path = options.record / RECORD if options.record.is_dir() else options.record
    loaded, folder = record.load(path), path.parent
    if path.name != RECORD:
        raise RecordError(f"{path}: a run's record is called {RECORD}", hint="rename it")
    manifest.sweep_unfinished(folder)
    changed = _changed(folder)
    if changed:
        raise RecordError(
            f"{folder}: not drawn again, its files are not as they were written: {changed[0]}",
            hint=f"restore the filed copy; or remove {manifest.FILE_NAME}, if you vouch for the files as they are now",
        )
    page = folder / manifest.REPORT
    before = page.read_bytes() if page.is_file() else b""
    drawn = html.render(loaded, folder, pixels=not options.no_pixels)
    manifest.write(folder)
    print(drawn)
    if (folder / manifest.SIGNATURE).is_file() and before != drawn.read_bytes():
        print(f"{manifest.SIGNATURE}: signs the report as it was before; sign the run again", file=sys.stderr)


def _sbom(options: argparse.Namespace) -> None:
    from synnodtest.exports import cyclonedx
    from synnodtest.shell.baseline import kept_record

    print(cyclonedx.write(kept_record(str(options.report)), options.out or Path(cyclonedx.FILE_NAME)))


def _changed(folder: Path) -> list[str]:
    """Return what differs from the manifest, the report itself aside: that is what is drawn again."""
    if not (folder / manifest.FILE_NAME).is_file():
        message = f"no {manifest.FILE_NAME} told whether its files are as the run wrote them"
        print(f"{folder}: {message}; the new one takes them as they are", file=sys.stderr)
        return []
    return [fault for fault in manifest.verify(folder) if not fault.startswith(manifest.REPORT)]


def _verify(options: argparse.Namespace) -> int:
    from synnodtest.integrity import signature

    faults = manifest.verify(options.folder, inputs=options.inputs)
    named = options.key or ""
    key = Path(named).read_text(encoding="utf-8", errors="replace") if named and Path(named).is_file() else named
    if options.key is not None and not signature.names_key(key):
        raise RecordError(f"--key {named!r}: no public key stands there", hint=signature.KEY_HINT)
    if (options.folder / manifest.SIGNATURE).is_file():
        faults += signature.verify(options.folder, key)
        print(f"signature  {signature.told(options.folder)}")
    elif key:
        faults.append(f"{manifest.SIGNATURE}: missing")
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f"root       {manifest.root_digest(options.folder)}")
    print(f"{options.folder}: {counted(len(faults), 'difference') if faults else 'every file is as it was written'}")
    return 1 if faults else 0


def _sign(options: argparse.Namespace) -> None:
    from synnodtest.integrity import signature

    password = getpass.getpass(f"password of {options.key}: ").encode() if options.password else None
    before = ""
    with suppress(RecordError):  # none, or none that can be read
        before = signature.told(options.folder)
    path = signature.sign(options.folder, options.key, signer=options.signer, password=password)
    print(f"{path}: {signature.told(options.folder)}{f'; in place of that of {before}' if before else ''}")


def _explore(options: argparse.Namespace) -> None:
    from synnodtest.report.explore import FILE_NAME, pictures_in, write_explore
    from synnodtest.shell.baseline import kept_record

    named: Path = options.run_folder
    record = kept_record(str(named))
    folder = named if named.is_dir() else named.parent
    page = folder / FILE_NAME
    if not page.is_file():
        raise RecordError(f"{page}: no such file, so there are no pictures", hint="run the specs again")
    other = None if options.against is None else kept_record(str(options.against))
    if other is not None and not {*record.scenes} & {*other.scenes}:
        raise RecordError(
            f"{folder} and {options.against} have no scene in common", hint="same specs, seed, synthesizer, backgrounds"
        )
    suffix = record.run.id if other is None else f"{record.run.id}-against-{other.run.id}"
    out: Path = options.out or folder.parent / f"explore-{suffix}.html"
    report = quote(Path(relpath(folder / "report.html", out.parent)).as_posix())
    print(write_explore(record, out.parent, pictures_in(page), other, name=out.name, report=report))
