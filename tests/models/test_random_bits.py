"""The random words of units: equidistributed, and independent along an array, across keys and of the key."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from intertwine._random_bits import random_bits
from intertwine.models.machines.random_bits import bernoulli, uniforms

COUNT = 2**18


def _words(seed, count=COUNT):
    return np.asarray(random_bits(jax.random.key(seed), (count,)))


def _p_value(counts, expected):
    return stats.chi2.sf(((counts - expected) ** 2 / expected).sum(), len(counts) - 1)


@pytest.mark.parametrize("shift", [0, 8, 16, 24])
@pytest.mark.parametrize("seed", [0, 1])
def test_bytes_are_equidistributed(seed, shift):
    counts = np.bincount((_words(seed) >> shift) & 255, minlength=256)
    assert 1e-4 < _p_value(counts, COUNT / 256) < 1 - 1e-4


@pytest.mark.parametrize("lag", [1, 2, 500, 784, 4096])
def test_pairs_at_a_lag_are_independent(lag):
    words = _words(3) >> 27
    counts = np.bincount(words[lag:] * 32 + words[:-lag], minlength=1024)
    assert 1e-4 < _p_value(counts, (COUNT - lag) / 1024) < 1 - 1e-4


def test_successive_keys_give_independent_words():
    root = jax.random.key(9)
    keys = jax.vmap(lambda k: jax.random.fold_in(root, k))(jnp.arange(257))
    words = np.asarray(jax.vmap(lambda key: random_bits(key, (1024,)))(keys)) >> 27
    along_keys = np.bincount((words[1:] * 32 + words[:-1]).ravel(), minlength=1024)
    assert 1e-4 < _p_value(along_keys, 256 * 1024 / 1024) < 1 - 1e-4
    bits = np.unpackbits(np.asarray(words, np.uint8), axis=1)[:, 3::8].astype(float) - 0.5
    between = np.corrcoef(bits)[np.triu_indices(257, 1)] * np.sqrt(1024)
    assert np.abs(between).max() < 6 and abs(between.std() - 1) < 0.02


@pytest.mark.parametrize("word", [0, 1])
def test_every_bit_of_the_key_changes_half_of_the_bits(word):
    base = jnp.array([123456789, 987654321], jnp.uint32)
    plain = np.asarray(random_bits(jax.random.wrap_key_data(base), (4096,)))
    for bit in range(32):
        other = jax.random.wrap_key_data(base.at[word].set(base[word] ^ jnp.uint32(1 << bit)))
        changed = np.unpackbits((plain ^ np.asarray(random_bits(other, (4096,)))).view(np.uint8))
        shares = changed.reshape(4096, 32).mean(0)
        assert np.abs(shares - 0.5).max() < 0.06 and abs(changed.mean() - 0.5) < 0.01


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_uniforms_are_uniform_and_stay_inside(dtype):
    u = np.asarray(uniforms(jax.random.key(5), (COUNT,), dtype))
    assert u.dtype == dtype and u.min() > 0 and u.max() < 1
    assert stats.kstest(u, "uniform").pvalue > 1e-4
    assert len(np.unique(u)) > (0.95 if dtype == "float32" else 1 - 1e-9) * COUNT


def test_bernoulli_means_and_certainty(key):
    logits = jnp.array([-40.0, -3.0, 0.0, 2.0, 40.0])
    drawn = np.asarray(bernoulli(key, jnp.broadcast_to(logits, (COUNT, 5)))).mean(0)
    p = 1 / (1 + np.exp(-np.asarray(logits)))
    assert (np.abs(drawn - p) <= 4 * np.sqrt(p * (1 - p) / COUNT)).all()


def test_old_style_keys_give_the_same_words():
    old, new = jax.random.PRNGKey(4), jax.random.key(4)
    assert np.array_equal(random_bits(old, (7,)), random_bits(new, (7,)))
