"""The whole test session runs in float64 with strict promotion of nothing but what JAX does by default."""

import gc
from pathlib import Path

import jax
import pytest

jax.config.update("jax_enable_x64", True)

MOST_MAPPINGS = 20_000
"""Compiled programs hold memory mappings, of which Linux allows a process 65,530; beyond, LLVM aborts."""


@pytest.fixture(autouse=True, scope="module")
def few_mappings():
    """Compiled programs are forgotten, between files, before there are too many."""
    yield
    maps = Path("/proc/self/maps")
    if maps.exists() and maps.read_bytes().count(b"\n") > MOST_MAPPINGS:
        jax.clear_caches()
        gc.collect()


@pytest.fixture(autouse=True)
def float64():
    """The commands set JAX's precision for their process; no test leaves it changed for those after it."""
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", True)


@pytest.fixture
def key() -> jax.Array:
    """One fixed key; tests split it."""
    return jax.random.key(20251122)
