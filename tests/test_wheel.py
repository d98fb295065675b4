"""The wheel: it brings all that the package reads, and the shipped models and specs where the package seeks them."""

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
SHARED = ("models", "specs")
ASK = """
import synnodtest
from synnodtest.errors import SynnodError
from synnodtest.shipped import shipped
print(synnodtest.__file__)
print(shipped("models/detector/demo.pt"))
print(shipped("specs/paper.yaml"))
try:
    shipped("models/none")
except SynnodError as error:
    print(error)
"""


def files(folder):
    return {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix != ".pyc" and not path.name.startswith(".")
    }


class TestWheel:
    def test_every_file_of_the_package_and_all_models_and_specs_are_in_it(self, wheel):
        with zipfile.ZipFile(wheel) as held:
            names = held.namelist()
        data = next(name for name in names if ".data/data/" in name).split("/")[0]
        there = {name.removeprefix(f"{data}/data/share/synnodtest/") for name in names}
        for folder in ("synnodtest", *SHARED):
            assert sorted(files(folder) - there) == []

    def test_an_installed_one_finds_what_it_ships_and_says_where_it_sought_what_it_lacks(self, wheel, tmp_path):
        target = tmp_path / "target"
        words = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-compile"]
        words += ["--target", str(target), str(wheel)]
        subprocess.run([sys.executable, *words], check=True)
        asked = subprocess.run(
            [sys.executable, "-c", ASK], cwd=target, env={"PYTHONPATH": str(target)}, capture_output=True, text=True
        )
        package, model, spec, missing = asked.stdout.strip().split("\n", 3)
        assert Path(package).parents[1] == target
        assert Path(model).read_bytes() == (ROOT / "models/detector/demo.pt").read_bytes()
        assert Path(spec).is_relative_to(target)
        assert "models/none" in missing
        assert str(target / "share") in missing
