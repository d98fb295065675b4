"""The seven Cs are answered by the numbers of the run, and say what is missing."""

import numpy as np

from synnodtest.record.model import Record
from synnodtest.report.sections.seven_cs import NO_REPORT, seven_cs
from tests.record import parts


def record(**more):
    rng = np.random.default_rng(0)
    nodules = [
        parts.nodule(diameter_mm=d + 0.1, contrast=0.2, regions=["lung"], requested={"diameter_mm": d, "contrast": 0.2})
        for d in rng.uniform(5, 30, 40).tolist()
    ]
    scenes = {f"s{k}": parts.scene(accepted=k > 3, nodules=[n]) for k, n in enumerate(nodules)}
    sham = {"behaviour": "b", "synthesizer": "diffusion", "mode": "inpaint", "sentence": ""}
    spec = {"file": "s.yaml", "sha256": ""}
    told = {
        "scenes": scenes,
        "attrition": {"accepted": 36, "synthesized": 40, "evaluated": 36, "requested": 41, "unique_backgrounds": 12,
                      "unique_patients": 11, "reasons": {"too white": 4}},
        "sham": [sham | {"n": 12, "status": "OK"}, sham | {"n": 0, "status": "NOT NEEDED"}],
        "expectations": [parts.expectation(status=status) for status in ("PASSED", "ERROR", "INCONCLUSIVE")],
        "identification": parts.identification(
            synthesizers=[{"name": "diffusion", "version": "5", "sha256": "ab"}], specs=[spec, spec]
        ),
    }  # fmt: skip
    return parts.record(**told | more)


def rows(made):
    return {name: shown for name, _, shown in seven_cs(Record.of(made))}


def test_every_aspect_is_answered_by_the_run():
    told = rows(record())
    assert list(told) == [
        "Congruence", "Coverage", "Constraint", "Completeness", "Compliance", "Comprehension", "Consistency",
    ]  # fmt: skip
    assert told["Congruence"] == NO_REPORT
    assert "36 nodules of" in told["Coverage"]
    assert "36 of 40 scenes kept by rules fixed beforehand (4: too white); sham control: 1 OK" in told["Constraint"]
    assert "2 of 3 expectations judged, 36 of 41 requested scenes" in told["Completeness"]
    assert "copies of training nodules: not measured" in told["Compliance"]
    assert "weights of 1 of 1 and 2 specifications named by sha256" in told["Comprehension"]
    assert "realised diameter within 0.1 mm of the requested in 95% of 36" in told["Consistency"]


def test_a_credibility_report_of_this_model_adds_distance_recall_and_copies_and_of_another_adds_nothing():
    found = {
        "distances": {"kernel": {"synthetic_to_real": 0.1, "real_to_real_mean": 0.04, "real_to_real_p95": 0.63}},
        "two_sample_auc": {"logistic": 0.67, "trees": 0.62},
        "coverage": {"recall": {"synthetic": 0.6, "real_mean": 0.8}, "vendi": {"synthetic": 11.0, "real_mean": 14.0}},
    }
    measured = {
        "phantoms": {"against_real": {"diffusion": found}},
        "memorisation": {"n": 160, "copies": 1, "share": 1 / 160, "interval_95": [0.0002, 0.034]},
    }
    mine = {"file": "c.json", "sha256": "", "synthesizer": {"name": "diffusion"}, "of_another_model": False,
            "differs": [], "measured": measured}  # fmt: skip
    told = rows(record(credibility={"reports": [mine]}))
    assert "kernel distance to real nodules 0.10, real to real 0.04" in told["Congruence"].replace("0.040", "0.04")
    assert "AUC 0.67 and 0.62" in told["Congruence"]
    assert "recall of real nodules 0.60 (real by real 0.80), Vendi score 11.00 (real 14.00)" in told["Coverage"]
    assert "copies of training nodules: 1 of 160 planted nodules (0.6%, 95% interval 0.0 to 3.4%" in told["Compliance"]
    other = rows(record(credibility={"reports": [mine | {"of_another_model": True}]}))
    assert other == rows(record())


def test_a_run_without_nodules_says_so():
    assert rows(record(scenes={"s": parts.scene()}))["Coverage"] == "no nodule was planted"
