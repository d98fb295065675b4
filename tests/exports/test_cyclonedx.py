"""The software bill of materials says what the record says, in CycloneDX's form."""

import json
import re
import uuid

from synnodtest.cli import main
from synnodtest.exports.cyclonedx import bill_of_materials, write
from synnodtest.record import results


def test_every_package_and_model_of_the_record_stands_in_the_bill(made):
    bill = bill_of_materials(made)
    by_type = {
        kind: [c for c in bill["components"] if c["type"] == kind] for kind in ("library", "machine-learning-model")
    }
    packages = made["environment"]["packages"]
    assert packages
    assert [(c["name"], c["version"]) for c in by_type["library"]] == [(p["name"], p["version"]) for p in packages]
    named = {c["name"] for c in by_type["machine-learning-model"]}
    identification = made["identification"]
    assert named == {identification["detector"]["name"], *(s["name"] for s in identification["synthesizers"])}
    detector = next(c for c in by_type["machine-learning-model"] if c["name"] == identification["detector"]["name"])
    assert detector["hashes"] == [{"alg": "SHA-256", "content": identification["detector"]["sha256"]}]


def test_the_form_is_that_of_cyclonedx_1_6(made):
    bill = bill_of_materials(made)
    assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.6", 1)
    assert uuid.UUID(bill["serialNumber"].removeprefix("urn:uuid:"))
    references = [c["bom-ref"] for c in bill["components"]]
    assert len(references) == len(set(references))
    (dependencies,) = bill["dependencies"]
    assert dependencies["ref"] == bill["metadata"]["component"]["bom-ref"]
    assert sorted(references) == dependencies["dependsOn"]
    for component in bill["components"]:
        assert component["name"]
        assert "hashes" not in component or re.fullmatch("[0-9a-f]{64}", component["hashes"][0]["content"])
        if component["type"] == "library":
            assert re.fullmatch(r"pkg:pypi/[a-z0-9.\-]+@\S+", component["purl"])


def test_a_run_has_one_bill_and_another_version_another(made):
    first = bill_of_materials(made)
    assert bill_of_materials(made) == first
    made["environment"]["packages"][0]["version"] = "0.0.1"
    assert bill_of_materials(made)["serialNumber"] != first["serialNumber"]


def test_the_command_writes_it_beside_nothing_of_the_report(made, tmp_path, monkeypatch, capsys):
    (tmp_path / "run").mkdir()
    results.write(made, tmp_path / "run")
    monkeypatch.chdir(tmp_path)
    assert main(["sbom", "run"]) == 0
    assert json.loads((tmp_path / "sbom.cdx.json").read_text()) == json.loads(json.dumps(bill_of_materials(made)))
    assert "sbom.cdx.json" in capsys.readouterr().out
    assert not (tmp_path / "run" / "sbom.cdx.json").exists()
    assert write(made, tmp_path / "named.json").read_text().startswith("{")
