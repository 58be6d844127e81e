"""The same settings and key give the same numbers by function and by command, bit by bit.

A row: the command's flags, what the function gives, what stands in the run folder, both as name → array.
"""

import jax
import numpy as np
import pytest
from one_study_classify import ROWS as CLASSIFY, TURNED
from one_study_entangle import ROWS as ENTANGLE
from one_study_evolve import ROWS as EVOLVE
from one_study_fields import ROWS as FIELDS
from one_study_ground_state import ROWS as GROUND_STATE
from one_study_learn import BY_DEFAULT, ROWS as LEARN
from one_study_renormalize import ROWS as RENORMALIZE
from one_study_structures import ROWS as STRUCTURES

from intertwine.cli import main

ALIKE = ("learn, dbm", "Migdal-Kadanoff", "finite size, Potts", "mcrg, a glass", "evolution, samples")
SLOW = BY_DEFAULT | TURNED
ROWS = CLASSIFY | ENTANGLE | EVOLVE | FIELDS | GROUND_STATE | LEARN | RENORMALIZE | STRUCTURES | SLOW
"""name → (flags of the command, by the function, from the folder)."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in (*SLOW, *ALIKE) else ()) for name in ROWS]
)
def test_function_and_command_give_the_same_numbers(name, tmp_path):
    flags, by_function, from_folder = ROWS[name]
    before = jax.config.jax_enable_x64
    try:
        assert main([*(flags() if callable(flags) else flags), "--out", str(tmp_path / "run")]) == 0
        found, expected = from_folder(tmp_path / "run"), by_function()  # in the precision of the command
    finally:
        jax.config.update("jax_enable_x64", before)
    assert found.keys() == expected.keys()
    for quantity, values in expected.items():
        np.testing.assert_array_equal(found[quantity], values, err_msg=quantity)
