"""pytest's rootdir, where values of our options moved it.

pytest settles rootdir before it loads plugins, so that in ``pytest specs --backgrounds ../data/cxr`` it takes the
folder for a test path: rootdir becomes the common ancestor, or that of another project, with its settings. Settled
again once our options are known, reports, store, ledger, waivers and node ids stay with the specs.
"""

from __future__ import annotations

import copy
import inspect
from typing import Any

import pytest


def settle(config: pytest.Config, parser: pytest.Parser, args: list[str]) -> None:
    """Give pytest the rootdir and the settings that it would have had without the values of our options.

    Args:
        config: While initial conftests are loaded.
        parser: Knows our options by now.
        args: The command line, settings' ``addopts`` first; changed in place where those come from the wrong file.
    """
    known = _parsed(config, parser, args)
    if known.rootdir:
        return
    rootpath, inipath, settings, *rest = _setup(config, known)
    if (rootpath, inipath) == (config.rootpath, config.inipath):
        return
    inner: Any = config
    wrong = [str(word) for word in config.getini("addopts")]
    inner._rootpath, inner._inipath, inner._inicfg = rootpath, inipath, settings
    if rest:
        inner._ignored_config_files = rest[0]
    getattr(inner, "_inicache", {}).clear()
    inner._parser.extra_info.update(rootdir=str(rootpath), inifile=str(inipath))
    if wrong and args[: len(wrong)] == wrong:
        del args[: len(wrong)]
    args[:0] = [str(word) for word in config.getini("addopts")]
    known = _parsed(config, parser, args)
    for plugin in known.plugins or ():
        config.pluginmanager.consider_pluginarg(plugin)
    if known.confcutdir is None:
        known.confcutdir = str(inipath.parent if inipath is not None else rootpath)
    inner.known_args_namespace = known


def _parsed(config: pytest.Config, parser: pytest.Parser, args: list[str]) -> Any:
    return parser.parse_known_args(args, namespace=copy.copy(config.option))


def _setup(config: pytest.Config, known: Any) -> Any:
    """Return what pytest's own rule makes of the test paths alone; its arguments differ between versions."""
    from _pytest.config.findpaths import determine_setup

    options = {
        "inifile": known.inifilename,
        "override_ini": getattr(known, "override_ini", None),
        "args": known.file_or_dir,
        "rootdir_cmd_arg": None,
        "invocation_dir": config.invocation_params.dir,
    }
    takes = inspect.signature(determine_setup).parameters
    return determine_setup(**{name: value for name, value in options.items() if name in takes})
