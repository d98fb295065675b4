"""Detectors with the contract of the NODE21 challenge: ``node21:``.

``--detector 'node21:docker run --rm -v {in}:/input -v {out}:/output image'``: ``{in}`` is a folder with one stack
``radiographs.mha``; the program writes ``nodules.json`` into the folder ``{out}``, boxes in mm.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from synnodtest.detectors.exchange import node21_findings, node21_parsed, write_stack
from synnodtest.detectors.program import Program, answer_in, call_folder
from synnodtest.detectors.registry import register_detector
from synnodtest.finding import Finding
from synnodtest.radiograph import Radiograph


class Node21Detector(Program):
    """A program or container with the contract of the NODE21 challenge.

    Args:
        command: Words as a shell would split them; ``{in}`` and ``{out}`` are the two folders.
        options: ``base`` is the working directory, ``timeout_s`` the limit of one run.
    """

    contract = "node21"

    def detect(self, radiographs: Sequence[Radiograph]) -> list[list[Finding]]:
        """Run the program once per group of radiographs of equal shape and spacing, in order.

        Raises:
            DetectorError: it cannot be started, fails, hangs, or leaves no usable answer.
        """
        findings: list[list[Finding]] = []
        for _, group in groupby(radiographs, key=lambda one: (one.shape, one.spacing_mm)):
            findings += self._stack(list(group))
        return findings

    def _stack(self, radiographs: list[Radiograph]) -> list[list[Finding]]:
        with call_folder() as folder:
            source, target = folder / "input", folder / "output"
            source.mkdir()
            target.mkdir()
            target.chmod(0o777)  # containers of the challenge write as a user of their own
            write_stack(source / "radiographs.mha", radiographs)
            output = self._run(source, target)
            text = answer_in(target / "nodules.json", self._words[0])
            answer = node21_parsed(text, f"nodules.json of {self._words[0]!r}")
        findings = node21_findings(answer, len(radiographs), radiographs[0].spacing_mm, labels=self._labels)
        return self._heard(findings, output)


register_detector("node21")(Node21Detector)
