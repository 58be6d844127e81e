"""A first session with images: words as labels, train, predict, check the symmetry, save, load, train on."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import intertwine as it


def pictures(rows, seed):
    """Bars, corners and dots, turned by any quarter, with noise."""
    rng = np.random.default_rng(seed)
    drawn = {name: np.zeros((7, 7)) for name in ("dot", "bar", "corner")}
    drawn["dot"][3, 3] = 3
    drawn["bar"][1:6, 3] = 1
    drawn["corner"][3, 3:6] = drawn["corner"][3:6, 3] = 1
    labels = [("dot", "bar", "corner")[i % 3] for i in range(rows)]
    turned = np.array([np.rot90(drawn[name], rng.integers(4)) for name in labels])
    return (turned + 0.05 * rng.normal(size=turned.shape))[..., None].astype(np.float32), labels


def test_a_session_with_images(tmp_path, capsys):
    key = jax.random.key(0)
    images, labels = pictures(120, 0)
    test, truth = pictures(30, 1)
    options = dict(batch=24, validation=0.2, optimiser=it.OptaxGradient(optax.adam(1e-2)), key=key)

    types = dict(image_size=7, classes=("bar", "corner", "dot"), dropout=0.1, dtype=jnp.float32)
    net = it.network_from_name("cnn:2", "p4", **types, key=key)
    fit = it.fit_supervised(net, images, labels, epochs=15, **options)
    assert fit.classes == fit.model.classes == ("bar", "corner", "dot")
    assert fit.history[-1]["validation_accuracy"] > 0.9

    # what it says of a picture does not depend on the others
    said = it.predict(fit.model, test)
    assert it.accuracy(fit.model, test, truth) > 0.9 and set(said) <= set(labels)
    one_by_one = [it.predict(fit.model, picture[None])[0] for picture in test[:9]]
    assert one_by_one == said[:9].tolist()
    many = it.class_scores(fit.model, test)
    assert np.abs(it.class_scores(fit.model, test[:1]) - many[:1]).max() < 1e-6 * np.abs(many).max()

    it.assert_equivariant(fit.model, key=key, tol=1e-4)
    assert it.predict(fit.model, np.rot90(test, axes=(1, 2))).tolist() == said.tolist()

    # saved, loaded, the same; and trained on from there
    it.layers.save_network(tmp_path / "net", fit.model)
    loaded = it.layers.load_network(tmp_path / "net")
    assert loaded.classes == ("bar", "corner", "dot")
    assert np.array_equal(it.class_scores(loaded, test), many)
    further = it.fit_supervised(loaded, images, labels, epochs=2, **options)
    assert further.history[0]["validation_accuracy"] > 0.9
    assert it.accuracy(further.model, test, truth) > 0.9

    with pytest.raises(it.InputError, match="'bar', 'corner', 'dot', got 'cat'"):
        it.accuracy(fit.model, test, ["cat"] * 30)
