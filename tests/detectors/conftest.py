from __future__ import annotations

import numpy as np
import pytest

from synnodtest import Radiograph


@pytest.fixture
def radiographs() -> list[Radiograph]:
    """Three radiographs of 60 x 80 pixels that differ."""
    rng = np.random.default_rng(0)
    return [
        Radiograph(rng.random((60, 80), dtype=np.float32), (0.5, 0.4), background=f"b{i}", source=f"chest-{i}.png")
        for i in range(3)
    ]
