"""The paper's experiments: numbers against detectors whose answer is known, and every command to its figures."""

import numpy as np
import pytest
from PIL import Image
from scipy.stats import spearmanr

from studies.paper.experiments import EXPERIMENTS
from studies.paper.figures import bins
from studies.paper.points import Point, correlation, roundness, sampled_correlations
from studies.paper.run import spec_path
from synnodtest.cli import main
from synnodtest.spec import load_spec


def point(size, confidence, cluster="a"):
    return Point(size, confidence, cluster)


class TestNumbers:
    def test_the_pooled_correlation_is_spearmans(self):
        rng = np.random.default_rng(0)
        size = rng.uniform(4, 40, 300)
        score = np.clip(size / 40 + rng.normal(0, 0.3, 300), 0, 1)
        points = [point(s, c, str(i % 30)) for i, (s, c) in enumerate(zip(size, score, strict=True))]
        estimate = correlation(points, resamples=200)
        assert estimate.value == pytest.approx(spearmanr(size, score).statistic)
        assert estimate.lower < estimate.value < estimate.upper

    def test_the_interval_is_of_clusters_and_not_of_nodules(self):
        """Nodules of one background that all say the same are no more evidence than one of them."""
        rng = np.random.default_rng(1)
        size, score = rng.uniform(4, 40, 40), rng.random(40)
        alone = [point(s, c, str(i)) for i, (s, c) in enumerate(zip(size, score, strict=True))]
        once = correlation(alone, resamples=400)
        copied = correlation(alone * 8, resamples=400)
        assert copied.upper - copied.lower == pytest.approx(once.upper - once.lower, rel=0.2)

    def test_a_constant_confidence_has_no_correlation(self):
        assert correlation([point(s, 0.5, str(s)) for s in range(40)], resamples=100).value == 0

    def test_small_samples_scatter_around_the_whole(self):
        rng = np.random.default_rng(2)
        size = rng.uniform(4, 40, 2000)
        points = [point(s, s / 40 + rng.normal(0, 0.3)) for s in size]
        whole = spearmanr([p.diameter_mm for p in points], [p.confidence for p in points]).statistic
        drawn = sampled_correlations(points, 100, draws=200)
        assert drawn["from"] < whole < drawn["to"]
        assert drawn["median"] == pytest.approx(whole, abs=0.03)

    def test_bins_hold_means_and_rates_of_what_lies_in_them(self):
        rows = bins([point(5, 0.1), point(5, 0.2), point(11, 0.6), point(12, 1.0)], (4.0, 8.0, 12.0))
        assert [row["nodules"] for row in rows] == [2, 2]
        assert rows[0]["mean"] == pytest.approx(0.15)
        assert (rows[0]["rate_0.15"], rows[0]["rate_0.5"]) == (0.5, 0.0)
        assert rows[1]["rate_0.5"] == 1.0

    def test_roundness_is_the_ratio_of_the_axes(self):
        y, x = np.mgrid[-50:51, -50:51]
        assert roundness(x**2 + y**2 < 40**2) == pytest.approx(1, abs=0.01)
        assert roundness((x / 40) ** 2 + (y / 20) ** 2 < 1) == pytest.approx(0.5, abs=0.01)
        assert roundness((x / 20) ** 2 + (y / 20) ** 2 < 1, (1.0, 2.0)) == pytest.approx(0.5, abs=0.01)


class TestCommands:
    @pytest.mark.parametrize("name", sorted({"size", "map", "companion", "air-leak", "shape"}))
    def test_every_spec_is_valid(self, name):
        assert load_spec(spec_path(name)).behaviours

    def test_size_takes_exactly_the_scenes_asked_for_and_a_rerun_goes_on(self, run, tmp_path, request):
        told = run("size", "here_and_there", "--scenes", "10")
        assert told["results"]["scenes"] == 10
        assert sum(row["nodules"] for row in told["results"]["by_size"]) == 10
        assert told["results"]["spearman"]["clusters"] == 3
        assert all((tmp_path / "out" / file).stat().st_size > 1000 for file in told["figures"])
        request.getfixturevalue("undrawn")
        again = run("size", "here_and_there", "--scenes", "10")
        assert again["done_before"]["from_cache"] == again["done_before"]["scenes"]

    @pytest.mark.usefixtures("undrawn")
    def test_a_set_of_fewer_backgrounds_than_scenes_gets_more_scenes_on_each(self, run):
        told = run("size", "here_and_there", "--scenes", "10", "--limit", "100")
        assert told["results"]["scenes"] == 10

    @pytest.mark.usefixtures("undrawn")
    def test_a_silent_detector_has_no_correlation_and_passes_nothing(self, run):
        told = run("size", "silent")
        assert told["results"]["spearman"]["value"] == 0
        assert not any(v.startswith("PASSED") and "Spearman" in v for v in told["verdicts"])

    def test_the_map_covers_the_lung(self, run, tmp_path):
        told = run("map")
        lung = told["results"]["one_chest"]["20 mm"][0]
        assert 6 <= lung["nodules"] <= 8  # of 8 places; where the film is white a nodule is left out
        assert lung["mean_confidence"] == pytest.approx(0.6)
        with Image.open(tmp_path / "out" / "map.png") as drawn:
            assert drawn.width > 500

    def test_equal_arms_are_not_superior(self, run):
        told = run("companion", "here_and_there")
        arms = told["results"]["index_nodule"]
        assert arms["single"] == arms["double"]
        assert arms["single"]["detected"] > 0
        assert not any(verdict.startswith("PASSED") for verdict in told["verdicts"])
        assert told["figures"] == ["companion.png"]

    @pytest.mark.usefixtures("undrawn")
    def test_a_detector_that_fires_in_the_leak_fails_there(self, run):
        told = run("air-leak")
        assert told["results"]["many_chests"]["sentence"].startswith("FAILED")
        planted = {row["region"]: row["nodules"] for row in told["results"]["one_chest"]}
        assert planted["air_leak"] == 8
        assert 6 <= planted["lung"] <= 8  # where the film is white a nodule is left out

    def test_a_file_for_the_folder_of_figures_and_a_folder_that_is_not_there_are_refused_before_work(
        self, tmp_path, capsys
    ):
        (tmp_path / "file").touch()
        assert main(["paper", "size", "--detector", "oracle", "--out", str(tmp_path / "file")]) == 1
        assert "a file, and figures go into a folder" in capsys.readouterr().err
        with pytest.raises(SystemExit):
            main(["paper", "correlation", "--detector", "oracle", "--out", str(tmp_path), "--data", "nowhere"])
        assert "--data: nowhere: no such folder" in capsys.readouterr().err

    def test_shape_needs_ct_nodules(self, chests, tmp_path, capsys):
        words = ["paper", "shape", "--detector", f"{chests.parent / 'det.py'}:silent", "--out", str(tmp_path / "out")]
        assert main(words) == 1
        assert "--ct-patches" in capsys.readouterr().err

    def test_round_and_elongated_nodules_are_told_apart(self, run, ct_folder, tmp_path):
        told = run("shape", "everywhere", "--ct-patches", str(ct_folder), "--synthesizer", f"ct-patch:{ct_folder}")
        rows = told["results"]["by_shape"]
        assert {row["diameter_mm"] for row in rows} == {12, 16, 20, 24, 28}
        assert all(row["roundness_from"] <= row["mean_roundness"] < row["roundness_to"] for row in rows)
        assert all(row["mean_confidence"] == pytest.approx(0.6) for row in rows)
        assert all((tmp_path / "out" / file).stat().st_size > 1000 for file in told["figures"])

    def test_the_experiments_of_the_paper_are_all_there(self):
        assert set(EXPERIMENTS) == {
            "size", "map", "companion", "air-leak", "gaussian", "shape", "correlation", "average-precision",
        }  # fmt: skip
