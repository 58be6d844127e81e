"""Every model name on every kind of lattice: the function builds what the command builds, or both refuse."""

import equinox as eqx
import jax
import numpy as np
import pytest

import intertwine as it
from intertwine.experiments.ground_state.build import build_hamiltonian, build_model
from intertwine.experiments.ground_state.settings import GroundStateConfiguration
from intertwine.models.fermions.presets import FERMION_NAMES
from intertwine.models.names import MODEL_NAMES
from intertwine.quantum.defaults import (
    Choice,
    build_model as default_model,
    cannot_represent,
    stoquastic_frame,
)
from intertwine.spaces.lattices import lattice_from_name

NAMES = [name.replace("LAYERSx", "2x") for name in MODEL_NAMES if name not in FERMION_NAMES]
NAMES.remove("hva:DEPTH")  # for operators with a field along x: see quantum/circuits
NAMES = [name.replace("FEATURES", "2").replace("RANK", "2").replace("ALPHA", "1") for name in NAMES]
NAMES = [name.replace("DIM", "4").replace("HEADS", "2").replace("patchP", "patch1") for name in NAMES]
NAMES = [name.replace("RANGE", "1").replace("DEPTH", "1") for name in NAMES] + [
    "loop-rbm:2:space:lines:strings",
    "loop-gcnn:2x2:lines:strings",
]
PLACES = (
    ("chain:5", "heisenberg"),
    ("square:2x4:open", "xxz"),
    ("kagome:2x2", "j1j2"),
    ("links:2x3", "toric"),
)
ONLY = {"loop-rbm": "links", "loop-gcnn": "links", "cac": ("chain:5", "square")}  # links; one site a cell


def shapes(build):
    """The shapes and types of the parameters of a model, nothing computed; or the error of one line."""
    try:
        model = eqx.filter_eval_shape(build, jax.random.key(0))
    except it.InputError as error:
        return str(error)
    return type(model), jax.tree.map(lambda x: (x.shape, str(x.dtype)), eqx.filter(model, eqx.is_array_like))


@pytest.mark.parametrize(("lattice", "hamiltonian"), PLACES)
def test_the_function_takes_every_name_that_the_command_takes(lattice, hamiltonian):
    place = lattice_from_name(lattice)
    for name in NAMES:
        tables = {"kind": "ground-state", "lattice": lattice, "hamiltonian": {"name": hamiltonian}}
        settings = GroundStateConfiguration.model_validate(tables | {"model": {"name": name}})
        H = build_hamiltonian(settings, place)
        mine = shapes(lambda key, H=H, name=name: default_model(Choice(model=name), stoquastic_frame(H), key))
        theirs = shapes(lambda key, settings=settings, H=H: build_model(settings, H, key))
        assert str(mine) == str(theirs), name
        fits = lattice.startswith(ONLY.get(name.partition(":")[0], ""))
        fits &= not (name.startswith("vit") and "translations" in name and "open" in lattice)
        assert isinstance(mine, tuple) == fits, (name, mine)


@pytest.mark.parametrize("name", FERMION_NAMES)
def test_names_of_fermions(name):
    name = name.replace("ALPHA", "1").replace("FEATURES", "2").replace("HIDDEN", "4").replace("NUMBER", "2")
    tables = {"kind": "ground-state", "lattice": "chain:4", "model": {"name": name}}
    with pytest.raises(ValueError, match="a Hilbert space with fermions"):
        GroundStateConfiguration.model_validate(tables | {"hamiltonian": {"name": "heisenberg"}})
    tables |= {"hamiltonian": {"name": "hubbard"}, "space": {"fermions": [1, 1]}}
    settings = GroundStateConfiguration.model_validate(tables)
    H = build_hamiltonian(settings, it.Chain(4))
    mine = shapes(lambda key: default_model(Choice(model=name), stoquastic_frame(H), key))
    theirs = shapes(lambda key: build_model(settings, H, key))
    assert isinstance(mine, tuple) and str(mine) == str(theirs)


def test_loops_by_name(key):
    """What failed: a name on links, where H has not all the isometries of the midpoints."""
    H = it.toric(it.LinkSites(2, 2), hx=0.2, hz=0.1)
    run = it.ground_state(H, "loop-rbm:1:strings", 3, sampler=it.Enumeration(), compare=False, key=key)
    assert run.energy.mean < run.history["energy"][0] and run.model.permutations.shape == (4, 8)


def test_symmetries_that_the_operator_lacks(key):
    """A name that asks for them is told; one that leaves them open gives a model without them."""
    ring = it.Chain(6)
    H = it.tfim(ring) + it.Operator.from_strings(6, [(0.5, {1: "Z"})])
    tied = default_model(Choice(model="symmetric-rbm:2:space"), H, key)
    (line,) = cannot_represent(H, tied)
    assert line.startswith(
        "assumption: the wave function is the same under 10 symm"
    )  # all but 1 and the reflection at site 1
    free = default_model(Choice(model="symmetric-rbm:2"), H, key)
    assert np.shape(free.permutations) == (1, 6) and cannot_represent(H, free) == ()
    assert cannot_represent(it.tfim(ring), tied) == ()
