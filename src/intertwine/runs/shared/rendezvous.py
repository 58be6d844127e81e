"""Where processes of one run meet: an address that is looked at before anything waits for it."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
import time
from contextlib import closing
from typing import Any

from intertwine._checks import InputError, fail

RESOLUTION = 10.0
"""Seconds that a host's name may take to be found."""


def check_coordinator(coordinator: str, *, here: bool) -> None:
    """Raise `InputError` for a host that nobody knows and, where process 0 is started here, for a port that
    cannot be taken.

    >>> check_coordinator("localhost:45123", here=False)
    """
    host, _, port = coordinator.rpartition(":")
    _resolve(host.strip("[]"), int(port), coordinator)
    if here:
        _check_free(int(port), coordinator)


def wait_for(coordinator: str, patience: float) -> None:
    """Return once something answers at the address; `InputError` where nothing does for `patience` s."""
    host, _, port = coordinator.rpartition(":")
    until, reason = time.monotonic() + patience, "no answer"
    while time.monotonic() < until:
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=5.0).close()
            return
        except OSError as error:
            reason = error.strerror or str(error)
            time.sleep(0.1)
    got = f"nothing for {patience:.0f} seconds ({reason})"
    raise fail("coordinator", f"process 0 of this run at {coordinator}", got, "start process 0 there")


def not_joined(count: int, coordinator: str, patience: float) -> InputError:
    """The error of a process that the others of its run have not met."""
    expected = f"{count} processes at {coordinator}, each started once with --processes {count}"
    got = f"others, or not all within {patience:.0f} seconds"
    return fail("coordinator", expected, got, "start them all with the same settings, ids from 0 on")


def digest(task: dict[str, Any]) -> bytes:
    """What must be the same in all processes of a run, as 32 bytes: the versions and what is to be done."""
    from intertwine.runs.dataset import versions

    words = {name: task[name] for name in ("action", "configuration")}
    found = {name: version for name, version in versions().items() if name != "platform"}
    return hashlib.sha256(json.dumps([words, found], sort_keys=True).encode()).digest()


def check_alike(task: dict[str, Any]) -> None:
    """Raise `InputError`, in every process, unless all were started with the same settings and versions."""
    import numpy as np
    from jax.experimental.multihost_utils import process_allgather

    own = np.frombuffer(digest(task), np.uint8)
    if (np.asarray(process_allgather(own)) != own).any():
        expected = "the same command, settings and versions in every process of a run"
        raise fail("processes", expected, "different ones", "start all with the same flags")


def _resolve(host: str, port: int, coordinator: str) -> None:
    found: list[Any] = []

    def look() -> None:
        try:
            found.append(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            found.append(error)

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    looking.join(RESOLUTION)
    if not found or isinstance(found[0], Exception):
        reason = "no answer" if not found else getattr(found[0], "strerror", None) or str(found[0])
        got = f"{coordinator!r} ({reason})"
        raise fail("coordinator", "the address of a host that is known", got, "for example localhost:45123")


def _check_free(port: int, coordinator: str) -> None:
    families = [(socket.AF_INET, "0.0.0.0")] + ([(socket.AF_INET6, "::")] if socket.has_ipv6 else [])
    for family, anywhere in families:
        try:
            probe = socket.socket(family, socket.SOCK_STREAM)
        except OSError:  # a machine without it
            continue
        with closing(probe):
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((anywhere, port))
            except OSError as error:
                got = f"{coordinator} ({error.strerror})"
                raise fail("coordinator", "a port that is free", got, "take another port") from None
