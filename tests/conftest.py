"""The whole test session runs in float64 with strict promotion of nothing but what JAX does by default."""

import jax
import pytest

jax.config.update("jax_enable_x64", True)


@pytest.fixture
def key() -> jax.Array:
    """One fixed key; tests split it."""
    return jax.random.key(20251122)
