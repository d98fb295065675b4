"""``synnodtest``: the command line. Each command lives in a module of its own and is loaded when it is called."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Sequence
from functools import partial
from importlib import import_module

from synnodtest import __version__
from synnodtest.errors import SynnodError
from synnodtest.memory import keep_freed_memory
from synnodtest.shell.early_end import early_end_fails, termination_interrupts
from synnodtest.text_files import IN_UTF8
from synnodtest.threads import share_threads

COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("demo", "run the shipped specs with the shipped detector and synthesizer on phantoms"),
    "init": ("init", "write a commented starter project"),
    "check": ("specs", "find every error of spec files"),
    "expand": ("specs", "print a spec with includes, variables and defaults resolved"),
    "plan": ("specs", "say what every expectation costs and can show, before anything runs"),
    "schema": ("specs", "print the JSON Schema of the spec language"),
    "freeze": ("specs", "fix specs before a run, so that its report is confirmatory"),
    "report": ("records", "draw report.html again from results.json"),
    "explore": ("records", "draw explore.html again, beside another detector or version on the same scenes"),
    "history": ("history", "show what moved from run to run: estimates with intervals, flips, what a version kept"),
    "verify": ("records", "check every file of a report against its manifest and signature"),
    "sbom": ("records", "write the software bill of materials of a run, CycloneDX"),
    "sign": ("records", "sign the root digest of a report with an Ed25519 key of yours"),
    "compare": ("compare", "compare two detectors or two runs on identical scenes"),
    "pccp": ("pccp", "judge a new version of a detector against a predetermined change control plan"),
    "replay": ("replay", "run one scene or one counterexample of a report again"),
    "promote": ("promote", "write a confirmed counterexample into its spec's explicit examples"),
    "plant": ("plant", "plant one nodule in one radiograph: file in, file out"),
    "studio": ("studio", "plant nodules by hand on a page in the browser, and take a spec out of it"),
    "conform": ("conform", "ask a detector's adapter a dozen questions before a run costs an hour"),
    "phantom": ("phantom", "write a data set of chest phantoms"),
    "data": ("data", "convert annotated data sets between layouts, and check them"),
    "regions": ("regions", "draw the regions of radiographs on a sheet, doubtful ones first"),
    "train": ("train", "train the tabular encoder, the diffusion model, a detector or the segmenter"),
    "paper": ("paper", "run one experiment of the SynNodBench paper, to its figure"),
    "selftest": ("selftest", "check values, a detector against itself, and what catches seeded faults"),
    "cache": ("cache", "size, integrity and pruning of the store of finished work"),
    "evaluate": ("evaluate", "measure a detector or a synthesizer"),
}
"""Command -> (module of :mod:`synnodtest.commands`, one line of help)."""

EXAMPLES = {
    "demo": "demo --limit 6",
    "init": "init --detector best.pt --backgrounds cxr",
    "check": "check specs",
    "expand": "expand specs/size.yaml",
    "plan": "plan specs --detector best.pt --backgrounds cxr",
    "schema": "schema > synnodtest.schema.json",
    "freeze": "freeze specs",
    "report": "report reports/RUN --no-pixels",
    "explore": "explore reports/RUN --against reports/RUN2",
    "history": "history --last 5 --expectation '*::sensitivity'",
    "verify": "verify reports/RUN --key reviewer.pub",
    "sbom": "sbom reports/RUN --out sbom.cdx.json",
    "sign": "sign reports/RUN --key ~/.ssh/id_ed25519 --signer 'B. Reviewer'",
    "compare": "compare old.pt new.pt specs --compare-fail sensitivity:-0.03",
    "pccp": "pccp check --protocol plan.yaml --old v1.pt v2.pt --new v3.pt",
    "replay": "replay fuzz-f4e17ab1 --detector old.pt --detector new.pt",
    "promote": "promote fuzz-f4e17ab1 --region",
    "studio": "studio --detector best.pt --backgrounds cxr",
    "conform": "conform my_detector:factory",
    "phantom": "phantom --out cxr --count 24 --layout folder --sheet cxr.png",
    "data": "data check node21 --against training",
    "regions": "regions --backgrounds cxr --out regions.png --outlines hilar retrocardiac",
    "train": "train detector --data node21 --out mine",
    "paper": "paper size --detector best.pt --limit 30 --out figures",
    "selftest": "selftest specs --limit 10",
    "cache": "cache prune --unused-for 30d --limit 5GB",
    "evaluate": "evaluate detector --detector best.pt --data node21",
}
"""Command -> how it is called, below its help; ``plant`` brings its own."""

EPILOG = """\
The main job runs under pytest:

  pytest specs --detector best.pt                      your YOLO checkpoint on chest phantoms
  pytest specs --detector best.pt --backgrounds DIR    on your own nodule-free radiographs
  pytest --help                                        all options, under 'synnodtest'
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status (0 done, 1 something is wrong with the input, 2 usage)."""
    share_threads()
    keep_freed_memory()
    words = list(sys.argv[1:] if arguments is None else arguments)
    parser, command = _parsers(words[0] if words else "")
    options, unknown = parser.parse_known_args(words)
    if unknown:
        command.error(f"unrecognized arguments: {' '.join(unknown)}")
    if not hasattr(options, "run"):
        parser.print_help()
        return 2
    if isinstance(sys.stdout, io.TextIOWrapper):
        # progress is seen in a log file as it is made; what a terminal has no letter for is escaped, but not in a file
        # that a spec is expanded into: it would be another text
        escaped = sys.stdout.isatty() or sys.stdout.encoding.lower() == "utf-8"
        sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace" if escaped else None)
    try:
        tell = partial(print, "synnodtest:", file=sys.stderr, flush=True)
        with early_end_fails(tell, 1), termination_interrupts():
            return int(options.run(options) or 0)
    except SynnodError as error:
        print(f"synnodtest {options.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        kept = any(hasattr(options, name) for name in ("cache", "store", "restart"))  # as what keeps work is called
        print(f"interrupted{'; finished work is kept' if kept else ''}", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 141
    except UnicodeEncodeError as error:  # a name or text that the system's encoding has no letters for
        print(f"synnodtest {options.command}: {error}\n  hint: {IN_UTF8}", file=sys.stderr)
        return 1
    except OSError as error:  # a file that a command was told to read or write; whatever else raises one is a fault
        if error.filename is None:
            raise
        print(f"synnodtest {options.command}: {error.filename2 or error.filename}: {error.strerror}", file=sys.stderr)
        return 1


def configure(name: str, parser: argparse.ArgumentParser) -> None:
    """Give a parser the options of a command, the function ``run`` of its module, and its example below them."""
    module = import_module(f"synnodtest.commands.{COMMANDS[name][0]}")
    parser.set_defaults(run=getattr(module, "run", None))
    module.configure(name, parser)
    example = f"example:  synnodtest {EXAMPLES[name]}" if name in EXAMPLES else ""
    parser.epilog = "\n\n".join(filter(None, [example, parser.epilog]))


def _parsers(wanted: str) -> tuple[argparse.ArgumentParser, argparse.ArgumentParser]:
    """Return the parser and that of the wanted command, the only one whose module is loaded; without one, the first."""
    parser = argparse.ArgumentParser(
        prog="synnodtest",
        description="pytest for chest-radiograph nodule detectors",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"synnodtest {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    chosen = parser
    for name, (_, help_text) in COMMANDS.items():
        sub = commands.add_parser(
            name, help=help_text, description=help_text, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        if name == wanted:
            configure(name, sub)
            chosen = sub
    return parser, chosen
