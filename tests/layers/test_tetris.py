"""The shapes of the paper on tensor field networks: mirror images are told apart where outputs may be odd."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import intertwine as it
from intertwine.data.sets.tetris import tetris
from intertwine.layers import point_network

KEY = jax.random.key(2)
REACH = 3.5


def turned(seed):
    """The shapes under a rotation of its own each."""
    rotations = it.symmetry.CompactGroup("SO(3)").random_elements(8, key=jax.random.key(seed))
    return [shape.positions @ turn.T + 1.0 for shape, turn in zip(tetris(), rotations, strict=True)]


def with_sign(found):
    """Scores of 8 shapes: the first scalar ± the pseudoscalar for the mirror pair, and the six others."""
    even, odd = found[:, :7], found[:, 7:]
    return jnp.concatenate([even[:, :1] + odd, even[:, :1] - odd, even[:, 1:]], axis=1)


@pytest.mark.parametrize("name", ["tfn:2"])
def test_what_can_be_told_apart(name):
    """Before any training: even scalars are alike for the mirror pair, a pseudoscalar changes its sign, and
    is zero for shapes that are their own mirror images."""
    points = it.Points(REACH)
    cloud = points.batch(turned(0))
    network = point_network(name, points, 1, "2 scalar + pseudoscalar", pool="mean", key=KEY)
    x = jnp.ones((cloud.points, 1))
    found = np.asarray(eqx.filter_jit(lambda network, x, cloud: network(x, at=cloud))(network, x, cloud))
    even, odd = found[:, :2], found[:, 2]
    scale = np.abs(even).max()
    np.testing.assert_allclose(even[0], even[1], rtol=0, atol=1e-12 * scale)
    gaps = np.abs(even[1:, None] - even[None, 1:]).max(-1) + np.eye(7)
    assert gaps.min() > 1e-4 * scale
    assert abs(odd[0]) > 1e-5 * scale
    np.testing.assert_allclose(odd[1], -odd[0], rtol=1e-9)
    np.testing.assert_allclose(odd[2:], 0, atol=1e-13 * scale)


TABLE = {
    "odd types": ("O(3)", "7 scalar + pseudoscalar", with_sign, 8),
    "rotations alone": ("SO(3)", "8 scalar", lambda found: found, 8),
    "even scalars": ("O(3)", "8 scalar", lambda found: found, 7),
}


@pytest.mark.slow
@pytest.mark.parametrize("family", ["tfn:4", "se3-transformer:4"])
@pytest.mark.parametrize("kind", TABLE)
def test_learned_once_and_known_under_every_rotation(family, kind):
    group, outputs, scores, known = TABLE[kind]
    points = it.Points(REACH, group=group)
    parities = "both" if kind == "odd types" else None
    network = point_network(
        family, points, 1, outputs, parities=parities, neighbours=3.0, pool="mean", key=KEY
    )
    parameters, rest = eqx.partition(network, eqx.is_inexact_array)
    rate = optax.cosine_decay_schedule(1e-2, 600)
    optimiser = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(rate))
    labels = np.arange(8)
    cloud = points.batch([shape.positions for shape in tetris()])
    x = jnp.ones((cloud.points, 1))

    def logits(parameters, cloud):
        return scores(eqx.combine(parameters, rest)(x, at=cloud))

    @jax.jit
    def step(parameters, state):
        def loss(parameters):
            found = logits(parameters, cloud)
            return optax.softmax_cross_entropy_with_integer_labels(found, labels).mean()

        value, slope = jax.value_and_grad(loss)(parameters)
        updates, state = optimiser.update(slope, state)
        return optax.apply_updates(parameters, updates), state, value

    state, least = optimiser.init(parameters), 0.0 if known == 8 else np.log(2) / 4  # of a pair that is alike
    for _ in range(600):
        parameters, state, value = step(parameters, state)
        if value < least + 0.05:
            break
    say = jax.jit(logits)
    for seed in range(20):
        found = np.asarray(say(parameters, points.batch(turned(seed))))
        right = found.argmax(1) == labels
        if known == 8:
            assert right.all()
        else:
            assert right[2:].all()
            np.testing.assert_allclose(found[0], found[1], atol=1e-9)
