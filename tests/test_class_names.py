"""Which class names are nodules."""

import pytest

from synnodtest.class_names import ClassNamesError, Meaning, meaning, nodule_classes

NODULES = """
nodule; Nodule; Nodule/Mass; lung_nodule; LungNodule; pulmonary nodules; nodular opacity; non-solid nodule;
Noncalcified nodule; part-solid-nodule; micronodule; nodule 1; annotated nodule; non calcified lung nodule;
SOLID_NODULE; nodule_benign; nódulo; nodül; Nodulo pulmonar; 结节; 肺结节; 결절; узел"""

DENIED = """
no_nodule; non-nodule; nodule-free; not_nodule; background; normal; NoNodule; non_nodule; NONNODULE; nonodule;
no nodules; without nodule; nodule free; nodulefree; nodule_negative; nodule-absent; non-lung-nodule; healthy;
no suspicious nodule; No Finding; Normal chest; nodule: none; __background__; NonNodule; absence of nodule;
w/o nodule; non lung nodule; nodule not present; nodule_not_seen; free_of_nodules; negative_for_nodule; neg_nodule;
hard_negative_nodule; nodule ruled out; nodule_missing; nodule unlikely; wo_nodule; sin_nodulo; sin nódulo; sem nódulo;
Sem Nódulos; nenhum nódulo; ningún nódulo; senza noduli; nessun nodulo; pas_de_nodule; aucun nodule; sans nodule;
kein_nodulus; keine Nodule; ohne Nodulus; geen_nodule; bez nodulu; nodül yok; nodule_negatif; 无结节; 無結節; 結節なし;
결절 없음; без узлов; 正常; норма; gesund; ohne Befund; sin hallazgos; Hintergrund; fondo; clean; control"""


def names(text):
    return [name.strip() for name in text.split(";")]


@pytest.mark.parametrize("name", names(NODULES))
def test_names_of_nodules(name):
    assert meaning(name) is Meaning.NODULE


@pytest.mark.parametrize("name", names(DENIED))
def test_names_that_deny_a_nodule(name):
    assert meaning(name) is Meaning.NOTHING


@pytest.mark.parametrize("name", ["Cardiomegaly", "rib", "mass", "lump", "Lung Opacity", "Infiltration", "abnormal"])
def test_names_of_something_else(name):
    assert meaning(name) is Meaning.OTHER


@pytest.mark.parametrize(
    "name",
    [
        "pseudo nodule",
        "pseudonodule",
        "nodule-like",
        "false nodule",
        "reticulonodular pattern",
        "nodule_fp",
        "ignore_nodule",
        "other than nodule",
        "everything but nodule",
        "background_nodule",
        "非结节",
    ],
)
def test_names_that_can_be_read_either_way(name):
    assert meaning(name) is Meaning.UNCLEAR
    with pytest.raises(ClassNamesError, match="may be the nodule"):
        nodule_classes({0: "rib", 1: name})


def test_one_match_is_taken_and_negations_are_left_out():
    assert nodule_classes({0: "no_nodule", 1: "nodule"}) == [1]
    assert nodule_classes({0: "background", 1: "Lung Nodule", 2: "rib"}) == [1]
    assert nodule_classes({0: "lump"}) == [0]


@pytest.mark.parametrize(
    "names", [["benign nodule", "malignant nodule"], ["nodule", "pseudonodule"], ["nodule", "nodules"]]
)
def test_more_than_one_match_asks_for_one(names):
    with pytest.raises(
        ClassNamesError, match=f"more than one of its 2 classes may be the nodule: {names[0]}, {names[1]}"
    ):
        nodule_classes(dict(enumerate(names)))


@pytest.mark.parametrize("name", ["no_nodule", "background", "normal", "No finding", "pseudonodule"])
def test_a_single_class_that_says_nothing_is_there_is_refused(name):
    with pytest.raises(ClassNamesError, match="only class"):
        nodule_classes({0: name})


def test_the_user_may_choose_by_name_or_index():
    names = {0: "benign nodule", 1: "Malignant Nodule", 2: "rib"}
    assert nodule_classes(names, ["malignant nodule"]) == [1]
    assert nodule_classes(names, ["1", "benign nodule"]) == [0, 1]
    with pytest.raises(ClassNamesError, match=r"no class 'tumour' among benign nodule, Malignant Nodule, rib"):
        nodule_classes(names, ["tumour"])
    with pytest.raises(ClassNamesError, match="no class '3'"):
        nodule_classes(names, ["3"])


def test_no_match_lists_some_of_the_names():
    with pytest.raises(ClassNamesError, match=r"none of its 80 classes is a nodule: thing0, .*thing7, \.\.\.$"):
        nodule_classes({index: f"thing{index}" for index in range(80)})


def test_a_name_that_merely_occurs_counts_only_if_it_means_a_nodule():
    assert nodule_classes({0: "Nodule/Mass"}, declared=False) == [0]
    with pytest.raises(ClassNamesError, match="none of its 1 classes is a nodule: Cardiomegaly"):
        nodule_classes({0: "Cardiomegaly"}, declared=False)
