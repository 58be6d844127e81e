"""Checkpoints: what is loaded is what was saved, to the bit; what is damaged is refused and the previous
one used.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from intertwine._checks import InputError
from intertwine.runs import checkpoints

CONFIG = "seed = 0\n"


class Model(eqx.Module):
    weights: jax.Array
    empty: jax.Array
    size: int = eqx.field(static=True)


def state(step=0):
    key = jax.random.fold_in(jax.random.key(3), step)
    w = jax.random.normal(key, (4, 3), dtype=jnp.complex128)
    return {
        "model": Model(w, jnp.zeros((0, 2)), 4),
        "chains": jnp.asarray(np.sign(np.arange(6) - 2.5), dtype=jnp.int8),
        "host": np.arange(3.0) * step,
        "scalar": np.float64(0.1) * step,
        "key": key,
        "step": step,
        "none": None,
    }


def same(a, b):
    la, lb = jax.tree.leaves(a), jax.tree.leaves(b)
    assert jax.tree.structure(a) == jax.tree.structure(b)
    for x, y in zip(la, lb, strict=True):
        x, y = checkpoints._to_numpy(x), checkpoints._to_numpy(y)
        assert x.dtype == y.dtype
        np.testing.assert_array_equal(x, y)


def test_round_trip_is_exact(tmp_path):
    checkpoints.save(tmp_path, state(7), 7, config=CONFIG)
    loaded = checkpoints.load_latest(tmp_path, state(), config=CONFIG, last_step=7)
    assert loaded.step == 7 and loaded.refused == []
    same(loaded.state, state(7))
    assert isinstance(loaded.state["step"], int) and isinstance(loaded.state["host"], np.ndarray)


def test_the_last_three_are_kept(tmp_path):
    for step in range(1, 6):
        checkpoints.save(tmp_path, state(step), step, config=CONFIG)
    assert checkpoints.steps(tmp_path) == [3, 4, 5]
    assert all(not p.name.startswith(".") for p in tmp_path.iterdir())


def truncate(path):
    path.write_bytes(path.read_bytes()[:-1])


def alter(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def damage_cases(folder):
    step = folder / "step-00000002"
    files = sorted(p for p in step.rglob("*") if p.is_file())
    return [(p.relative_to(step), how) for p in files for how in (truncate, alter, lambda p: p.unlink())]


def test_each_damaged_file_is_refused_and_the_previous_good_one_used(tmp_path):
    """Every byte counts: each file of a checkpoint truncated, altered and deleted in turn."""
    checkpoints.save(tmp_path, state(1), 1, config=CONFIG)
    checkpoints.save(tmp_path, state(2), 2, config=CONFIG)
    cases = damage_cases(tmp_path)
    assert len(cases) >= 15
    for name, how in cases:
        path = tmp_path / "step-00000002" / name
        good = path.read_bytes()
        how(path)
        loaded = checkpoints.load_latest(tmp_path, state(), config=CONFIG, last_step=2)
        assert loaded.step == 1, name
        assert len(loaded.refused) == 1 and "step-00000002" in loaded.refused[0], name
        assert "\n" not in loaded.refused[0]
        same(loaded.state, state(1))
        path.write_bytes(good)
    assert checkpoints.load_latest(tmp_path, state(), config=CONFIG, last_step=2).step == 2


def test_a_file_that_was_added_is_refused(tmp_path):
    path = checkpoints.save(tmp_path, state(1), 1, config=CONFIG)
    (path / "state" / "more").write_bytes(b"x")
    with pytest.raises(InputError, match="truncated or altered"):
        checkpoints.load(tmp_path, state(), 1, config=CONFIG)


def test_another_configuration_another_structure_and_missing_metrics_are_refused(tmp_path):
    checkpoints.save(tmp_path, state(1), 1, config=CONFIG)
    with pytest.raises(InputError, match="another configuration"):
        checkpoints.load(tmp_path, state(), 1, config="seed = 1\n")
    with pytest.raises(InputError, match="float64"):
        checkpoints.load(tmp_path, {**state(), "host": np.zeros(4)}, 1, config=CONFIG)
    loaded = checkpoints.load_latest(tmp_path, state(), config=CONFIG, last_step=0)
    assert loaded.step == 0 and "metrics.jsonl" in loaded.refused[0]


def test_an_edited_configuration_is_an_error_not_a_fresh_start(tmp_path):
    checkpoints.save(tmp_path, state(1), 1, config=CONFIG)
    with pytest.raises(InputError, match="another configuration; undo the edit"):
        checkpoints.load_latest(tmp_path, state(), config="seed = 1\n", last_step=1)


def test_none_where_nothing_was_saved(tmp_path):
    assert checkpoints.load_latest(tmp_path / "checkpoints", state(), config=CONFIG, last_step=10) is None
