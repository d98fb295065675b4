"""The course of a training: its steps, time and losses, kept with what learns, and the pace and average of weights."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from synnodtest.files import replacing


class Course:
    """Progress of a training, which a killed one is taken up from.

    Args:
        name: What is trained.
        checkpoint: The file that keeps it, replaced as a whole.
        parts: Modules and optimizers, by their names in the file.
        every: Steps between two points of the curve of losses.
        report: Called with one line at each of them.
    """

    def __init__(
        self, name: str, checkpoint: Path, parts: Mapping[str, Any], every: int, report: Callable[[str], None]
    ) -> None:
        self._name, self._checkpoint, self._parts, self._every, self._report = name, checkpoint, parts, every, report
        self.step, self.seconds = 0, 0.0
        self.curve: list[dict[str, float]] = []
        self._recent: list[Any] = []

    def take_up(self, device: Any) -> None:
        """Go on where the checkpoint stands, if there is one."""
        import torch

        if not self._checkpoint.is_file():
            return
        stored = torch.load(self._checkpoint, weights_only=True, map_location=device)
        for name, part in self._parts.items():
            part.load_state_dict(stored[name])
        self.step, self.seconds, self.curve = stored["step"], stored["seconds"], stored["curve"]
        self._report(f"resumed at step {self.step}")

    def save(self) -> None:
        """Write the checkpoint."""
        import torch

        state = {"step": self.step, "seconds": self.seconds, "curve": self.curve}
        with replacing(self._checkpoint) as temporary:
            torch.save(state | {name: part.state_dict() for name, part in self._parts.items()}, temporary)

    def run(self, learn: Callable[[], Any], done: Callable[[], bool], save: Callable[[], None], minutes: float) -> None:
        """Learn until it is done.

        Args:
            learn: Takes one step and returns its loss.
            done: Whether that was the last.
            save: Called every so many ``minutes`` of training, and at the end.
            minutes: Between two of them.
        """
        saved = self.seconds
        while not done():
            began = time.monotonic()
            self._recent.append(learn())
            self.step += 1
            if self.step % self._every == 0:
                self._told(time.monotonic() - began)
            self.seconds += time.monotonic() - began
            if self.seconds - saved > minutes * 60:
                save()
                saved = self.seconds
        save()

    def _told(self, seconds: float) -> None:
        mean, passed = float(np.mean([float(loss) for loss in self._recent])), self.seconds + seconds
        self.curve.append({"step": float(self.step), "seconds": passed, "loss": mean})
        self._report(f"{self._name} step {self.step} loss {mean:.4f} {passed:.0f} s")
        self._recent = []


def learn_from(loss: Any, model: Any, optimizer: Any, most: float = 1.0) -> Any:
    """Take one step against a loss, with gradients of a norm of at most ``most``; return the loss."""
    import torch

    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), most)
    optimizer.step()
    return loss.detach()


def set_rate(optimizer: Any, highest: float, warm: float, done: float, least: float) -> None:
    """Set the learning rate: it rises while ``warm`` is below 1, and a cosine brings it to ``least`` of the highest."""
    falling = least + (1 - least) * (1 + math.cos(math.pi * done)) / 2
    for group in optimizer.param_groups:
        group["lr"] = highest * min(1.0, warm) * falling


def follow(average: Any, model: Any, decay: float) -> None:
    """Move averaged weights towards those of a model; what is no floating-point number is taken over."""
    import torch

    with torch.no_grad():
        mine, theirs = average.state_dict(), model.state_dict()
        floats = [name for name, value in mine.items() if value.is_floating_point()]
        torch._foreach_lerp_([mine[n] for n in floats], [theirs[n].to(mine[n].dtype) for n in floats], 1 - decay)
        for name, value in mine.items():
            if not value.is_floating_point():
                value.copy_(theirs[name])
