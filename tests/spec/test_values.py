import math

import numpy as np
import pytest
from scipy import stats

from synnodtest.evidence.regions import AllOf, AnyOf, NotIn, evaluate, region_names, region_text
from synnodtest.spec.values import Choice, Constant, LogUniform, Normal, Sweep, Uniform


def draws(value, n=4000):
    rng = np.random.default_rng(7)
    return np.array([value.draw(rng) for _ in range(n)])


def test_a_uniform_value_follows_its_distribution():
    assert stats.kstest(draws(Uniform(4, 40)), stats.uniform(4, 36).cdf).pvalue > 0.01


def test_a_log_uniform_value_follows_its_distribution():
    assert stats.kstest(draws(LogUniform(0.5, 50)), stats.loguniform(0.5, 50).cdf).pvalue > 0.01


def test_a_normal_value_is_cut_where_the_quantity_ends():
    drawn = draws(Normal(5, 4, 0.1, 100))
    expected = stats.truncnorm((0.1 - 5) / 4, (100 - 5) / 4, loc=5, scale=4)
    assert drawn.min() >= 0.1
    assert stats.kstest(drawn, expected.cdf).pvalue > 0.01


def test_a_normal_value_far_in_its_own_tail_stays_within_bounds():
    drawn = draws(Normal(0.1, 1e-9, 0.1, 100), 50)
    assert np.all((drawn >= 0.1) & (drawn <= 100))


def test_a_choice_and_a_sweep_yield_only_their_values():
    assert set(draws(Choice((4.0, 8.0)), 200)) == {4.0, 8.0}
    assert set(draws(Sweep((4.0, 8.0)), 200)) == {4.0, 8.0}


def test_a_constant_needs_no_random_number():
    rng = np.random.default_rng(1)
    before = rng.bit_generator.state
    assert Constant(12.0).draw(rng) == 12.0
    assert rng.bit_generator.state == before


@pytest.mark.parametrize(
    ("value", "levels", "bounds"),
    [
        (Constant(3.0), (3.0,), (3.0, 3.0)),
        (Sweep((8.0, 4.0)), (8.0, 4.0), (4.0, 8.0)),
        (Choice((8.0, 4.0)), (8.0, 4.0), (4.0, 8.0)),
        (Uniform(1.0, 2.0), (), (1.0, 2.0)),
        (LogUniform(1.0, 2.0), (), (1.0, 2.0)),
        (Normal(1.0, 1.0, 0.0, 9.0), (), (0.0, 9.0)),
    ],
)
def test_levels_and_bounds_say_what_can_be_drawn(value, levels, bounds):
    assert value.levels == levels
    assert value.bounds == bounds


def test_words_have_no_bounds():
    assert all(math.isnan(b) for b in (*Constant("horizontal").bounds, *Choice(("PA", "AP")).bounds))


def test_region_expressions_are_set_operations():
    a = np.array([[1, 1, 0, 0]], dtype=bool)
    b = np.array([[0, 1, 1, 0]], dtype=bool)
    masks = {"lung": a, "hilar": b}
    assert evaluate("lung", masks).tolist() == a.tolist()
    assert evaluate(AnyOf(("lung", "hilar")), masks).tolist() == [[True, True, True, False]]
    assert evaluate(AllOf(("lung", NotIn("hilar"))), masks).tolist() == [[True, False, False, False]]
    assert evaluate(NotIn(AnyOf(("lung", "hilar"))), masks).tolist() == [[False, False, False, True]]
    with pytest.raises(KeyError, match="rib"):
        evaluate("rib", masks)


def test_a_region_expression_reads_as_words():
    expression = AllOf(("lung", NotIn(AnyOf(("hilar", "rib")))))
    assert region_text(expression) == "lung and not (hilar or rib)"
    assert region_names(expression) == {"lung", "hilar", "rib"}
