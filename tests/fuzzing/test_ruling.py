"""The ruling of a search with several counterexamples."""

from types import SimpleNamespace

from synnodtest.evidence.ruling import Status
from synnodtest.fuzzing.confirm import Confirmation, rate_of
from synnodtest.fuzzing.ruling import Findings, ruling_of

CLAIM = SimpleNamespace(rate=0.8, criterion=lambda: "every nodule is found")
SEARCH = SimpleNamespace(stopped="examples", tried=30, phases={}, left_out=[], unplaced=0)


def found(example, holding, p_value):
    backgrounds = [SimpleNamespace(id=f"b{i}", cluster=f"b{i}") for i in range(60)]
    trials = tuple(SimpleNamespace(holds=i < holding, background=b) for i, b in enumerate(backgrounds))
    candidate = SimpleNamespace(example=example, matters=())
    return Confirmation(candidate, trials, rate_of(trials, 0.05), p_value, confirmed=p_value < 0.05)


def test_the_first_estimate_is_that_of_the_counterexample_in_the_sentence():
    several = [found("open", 45, 0.4), found("sure", 18, 1e-10), found("surest", 0, 1e-40)]
    ruling = ruling_of(CLAIM, SEARCH, Findings(None, several), 0.05, {}, [])
    assert "confirmed (surest): rate 0.00" in ruling.sentence
    assert [(c.label, c.status) for c in ruling.components] == [
        ("rate at surest", Status.FAILED),
        ("rate at sure", Status.FAILED),
        ("rate at open", Status.INCONCLUSIVE),
    ]
    assert ruling.sentence.endswith("; 1 further distinct failure")
    assert "further" not in ruling_of(CLAIM, SEARCH, Findings(None, several[1:2]), 0.05, {}, []).sentence
