"""``synnodtest studio``: plant nodules by hand on a page in the browser, and take a spec out of it."""

from __future__ import annotations

import argparse
from pathlib import Path

from synnodtest.commands.options import one_or_more
from synnodtest.devices import device

PORT = 7860
"""Port of the page: gradio's default."""


def configure(name: str, parser: argparse.ArgumentParser) -> None:
    """Add arguments."""
    add = parser.add_argument
    add("--detector", action="append", help="as for pytest; two are shown side by side (default: demo)")
    add("--synthesizer", action="append", help="as for pytest; repeatable (default: diffusion and gaussian)")
    add("--backgrounds", type=Path, help="folder of films to pick from, beside phantoms and uploads")
    add("--study", type=Path, help="folder of a reader study of 'evaluate realism', to be served")
    add("--device", type=device, default="cpu", help="cpu or cuda")
    add("--port", type=int, default=PORT, help=f"port on 127.0.0.1 (default {PORT}; 0: any free one)")
    add("--max-upload-mb", type=one_or_more, default=256, help="largest file that is taken (default 256)")
    add("--no-browser", action="store_true", help="only print the address")


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    from synnodtest.detectors.resolve import check_named as check_detector
    from synnodtest.studio.bench import Bench
    from synnodtest.studio.serve import serve
    from synnodtest.synthesizers.registry import check_named as check_synthesizer

    bench = Bench(options.detector or ("demo",), options.synthesizer or ("diffusion", "gaussian"), options.device)
    for text in bench.detectors:
        check_detector(text)
    for text in bench.synthesizers:
        check_synthesizer(text)
    wanted = {"backgrounds": options.backgrounds, "study": options.study, "most_bytes": options.max_upload_mb * 2**20}
    return serve(bench, port=options.port, browser=not options.no_browser, **wanted)
