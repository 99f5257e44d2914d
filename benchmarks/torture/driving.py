"""Drives the real thing: house, pipeline, ledger, replacement and recovery as in `framekeep sweep`, with a fake model.

A process that has everything imported forks for each start, so that a start takes milliseconds; a process that was just
forked holds nothing open, and nothing of the one before it.
"""

import os
import sys
import traceback
import warnings
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from multiprocessing import forkserver
from types import ModuleType
from typing import Any
from unittest.mock import patch

from benchmarks.torture.blink import Blink
from benchmarks.torture.site import Site
from daemon.config.schema import Config
from daemon.house import opened
from daemon.log import configure
from daemon.sweep import Sweeping, sweep, targets_of
from framekeep.errors import FramekeepError

PARTIAL = 3
SETTLE_SECONDS = 0.1


def config_of(site: Site, **sections: dict[str, Any]) -> Config:
    given: dict[str, dict[str, Any]] = {"watch": {"settle_seconds": SETTLE_SECONDS}}
    return Config.model_validate(given | sections, context={"folder": site.folder})


def racy_config_of(site: Site, **sections: dict[str, Any]) -> Config:
    """One that allows to replace in two steps."""
    return config_of(site, watch={"settle_seconds": SETTLE_SECONDS, "allow_racy_rename": True}, **sections)


def start(config: Config) -> int:
    """Repairs, sweeps once, and returns the exit code that `framekeep sweep` would give."""
    sweeping = Sweeping(dry_run=False)
    try:
        with opened(config, Blink()) as house:
            sweep(house, targets_of(config, []), sweeping)
    except FramekeepError as error:
        return _failed(error)
    return PARTIAL if sweeping.tally.failed else 0


def repair(config: Config) -> int:
    """The beginning of every start, and nothing else."""
    try:
        with opened(config, Blink()):
            return 0
    except FramekeepError as error:
        return _failed(error)


def _failed(error: FramekeepError) -> int:
    with suppress(OSError):  # it may be the log that cannot be written
        print(f"framekeep: {error}", flush=True)
    return error.exit_code


def forked(site: Site, work: Callable[[], int]) -> int:
    """Starts work in a process of its own, which writes to the site's log. Returns its number."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it warns of threads, which are numpy's and idle
        process = os.fork()
    if process:
        return process
    forkserver._forkserver._forkserver_pid = None  # type: ignore[attr-defined]  # noqa: SLF001 - not a child of this one
    code = 1
    try:
        _log_to(site)
        sys.modules["__main__"] = ModuleType("__main__")  # squeezer processes load it, and need not load all of this
        code = work()
    except BaseException:  # noqa: BLE001 - the parent sees exit code 1, the log says why
        traceback.print_exc()
    finally:
        os._exit(code)


def ended(process: int) -> int:
    """Waits. Returns the exit code, or minus the signal's number."""
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def one_thread() -> None:
    """From now on this process does everything in one thread and in one order, so that system calls can be counted.

    What runs is the same: only the standard library's threads are replaced, by doing the work at once.
    """
    patch.object(ThreadPoolExecutor, "submit", _at_once).start()


def _at_once(_pool: ThreadPoolExecutor, work: Callable[..., object], /, *args: object, **kwargs: object) -> Future[Any]:
    future: Future[Any] = Future()
    try:
        future.set_result(work(*args, **kwargs))
    except BaseException as error:  # noqa: BLE001 - as a thread would, hands whatever it is to who waits for it
        future.set_exception(error)
    return future


def _log_to(site: Site) -> None:
    log = os.open(site.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (1, 2):
        os.dup2(log, stream)
    os.close(log)
    configure("json", "warning")
