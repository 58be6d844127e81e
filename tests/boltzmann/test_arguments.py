"""What people write at first: taken where it is clear, else told in one line."""

import jax
import numpy as np
import optax
import pandas as pd
import pytest
import scipy.sparse

import intertwine as it
from intertwine.boltzmann.objectives.exact import exact_probabilities

KEY = jax.random.key(0)
BITS = np.random.default_rng(0).integers(0, 2, (40, 6))


def machine():
    return it.RBM(6, hidden=4, units="binary", hidden_units="binary", key=KEY)


def test_a_seed_is_no_key():
    with pytest.raises(it.InputError, match=r"jax\.random\.key\(0\)"):
        it.learn(machine(), BITS, epochs=1, key=0)


def test_an_optax_transformation_is_an_optimiser():
    short = it.learn(machine(), BITS, epochs=2, optimiser=optax.adam(1e-2), key=KEY).model
    long = it.learn(machine(), BITS, epochs=2, optimiser=it.OptaxGradient(optax.adam(1e-2)), key=KEY).model
    assert (np.asarray(short.weights) == np.asarray(long.weights)).all()
    with pytest.raises(it.InputError, match="optimiser"):
        it.learn(machine(), BITS, epochs=2, optimiser="adam", key=KEY)


@pytest.mark.parametrize("call", ["free_energy", "angles", "hidden_given_visible"])
def test_rows_of_another_width(call):
    with pytest.raises(it.InputError, match="6 columns"):
        getattr(machine(), call)(np.zeros((3, 5)))
    with pytest.raises(it.InputError, match="4 columns"):
        machine().visible_given_hidden(np.zeros((3, 5)))


FORMS = {
    "frame": pd.DataFrame(BITS),
    "sparse": scipy.sparse.csr_matrix(BITS),
    "lists": BITS.tolist(),
    "masked": np.ma.masked_array(BITS),
}


@pytest.mark.parametrize("form", FORMS)
def test_data_in_any_form_are_the_same_data(form):
    theirs = it.learn(machine(), FORMS[form], epochs=2, key=KEY).model
    ours = it.learn(machine(), BITS, epochs=2, key=KEY).model
    np.testing.assert_array_equal(np.asarray(theirs.weights), np.asarray(ours.weights))


@pytest.mark.parametrize("units, mean", [("spin", 0.96), ("binary", 0.02)])
def test_represent_lists_states_as_operators_do(units, mean):
    """Bit 0 is spin +1 and binary 0: the first of four states is (+1, +1), or (0, 0)."""
    found = it.represent([0.97, 0.01, 0.01, 0.01], units=units)
    states = found.model.visible_layer.states()
    np.testing.assert_allclose(exact_probabilities(found.model) @ states, [mean, mean], atol=1e-3)
    if units == "spin":
        np.testing.assert_array_equal(states, it.sampling.enumeration.all_configurations(2))
    order = it.represent([0.1, 0.6, 0.2, 0.1], units=units).model
    free = np.asarray(order.free_energy(states.astype(float)))
    np.testing.assert_allclose(np.exp(-free) / np.exp(-free).sum(), [0.1, 0.6, 0.2, 0.1], atol=2e-3)


def test_progress_without_a_terminal_shows_the_newest_likelihood(capsys):
    """A line is shown every few seconds: what the lines between them measured is not lost."""
    from intertwine.experiments.learn.words import Words
    from intertwine.runs.progress import Plain

    with Plain(100, interval=3600, describe=Words(None)) as shown:
        for step in range(100):
            due = {"log_likelihood": -30.0 + step / 10} if step in (0, 20, 79) else {}
            shown.step({"step": step, "reconstruction_error": 0.1} | due)
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("step 100/100") and "−22.10 at step 80" in last
