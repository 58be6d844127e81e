"""Whether a flow is at a fixed point, as a user asks: at criticality, off it, and where it cannot be told."""

import json
import math
from dataclasses import replace

import jax
import numpy as np
import pytest

import intertwine as it
from intertwine._checks import InputError
from intertwine.cli import main
from intertwine.rg.montecarlo.fixed_point_verdict import Verdict, qualified
from thinned import thinned

KEY = jax.random.key(3)
K_C = 0.5 * np.log(1 + 2**0.5)


def drawn(model, n, steps=2):
    """About n configurations of 20 Swendsen-Wang chains, in the order in which they were drawn."""
    sampler = it.SwendsenWang(chains=20, steps=steps)
    samples, _ = sampler.sample(model, sampler.init(model, key=KEY), -(-n // 20), key=jax.random.key(4))
    return np.asarray(samples.configurations).swapaxes(0, 1).reshape(-1, model.size)


def found(K, side=32, n=4000, levels=3, lattice=None, **options):
    """The result of Swendsen-Wang samples."""
    lattice = it.Square(side, side) if lattice is None else lattice
    return it.rg.mcrg(drawn(it.Ising(lattice, K), n), levels=levels, lattice=lattice, key=KEY, **options)


@pytest.fixture(scope="module")
def critical():
    return found(K_C)


def test_a_critical_system_is_at_a_fixed_point(critical):
    assert critical.fixed_point is True and critical.warnings == ()
    assert abs(1 / critical.nu - 1) < 4 * critical.y_T_error[-1, -1] + 0.02
    assert "ν = " in str(critical) and "would be seen" in critical.reason


@pytest.mark.parametrize("K", thinned([0.425, 0.432, 0.45, 0.6], 3))
def test_a_system_off_criticality_is_not(K):
    """The couplings drift along the relevant direction by more than their errors; there are no exponents."""
    off = found(K)
    assert off.fixed_point is False and math.isnan(off.nu) and math.isnan(off.eta)
    assert any(line.startswith("no-fixed-point") for line in off.warnings)
    assert "ν = " not in str(off) and "nan" not in str(off)


def test_clocks_of_five_directions_have_no_exponent_of_temperature():
    """Critical over a whole phase, where y seems to stay from step to step."""
    still = Verdict(True, "y stays")
    assert qualified(still, None, 2, directions=4)[0].fixed_point is True
    told = qualified(still, None, 2, directions=5)[0]
    assert told.fixed_point is None and "Kosterlitz-Thouless" in told.reason
    lattice = it.Square(8, 8)
    rows = it.sample(it.models.Clock(lattice, 6, 1.0), 400, key=KEY)
    assert it.rg.mcrg(rows, levels=1, couplings=1, lattice=lattice, key=KEY).fixed_point is not True


def test_the_drift_is_the_distance_from_the_critical_point(critical):
    """Twice as far off, twice the drift; its sign says whither."""
    above, far = (found(K).drift for K in (K_C + 0.004, K_C + 0.008))
    below = found(K_C - 0.006, n=8000).drift
    assert below.deviation < -4 * below.deviation_error and above.deviation > 3 * above.deviation_error
    error = math.hypot(far.deviation_error, 2 * above.deviation_error)
    assert abs(far.deviation - 2 * above.deviation) < 4 * error
    assert abs(critical.drift.deviation) < 3 * critical.drift.deviation_error


def test_what_cannot_be_judged_is_none():
    """One step; few samples; chains that have not mixed; bins that know of one another."""
    assert found(K_C, 16, 1000, 1).fixed_point is None
    few = found(K_C, 16, 200, 2, bins=10)
    assert few.fixed_point is None and few.warnings[0].startswith("unjudged")
    model = it.Ising(it.Square(16, 16), K_C)
    stuck = replace(it.sample(model, 500, key=KEY), mixed=False, r_hat=1.4)
    judged = it.rg.mcrg(stuck, levels=2, lattice=model.lattice, key=KEY)
    assert judged.fixed_point is None and "mixed" in judged.reason
    slow = np.repeat(drawn(model, 20)[:8], 50, axis=0)
    judged = it.rg.mcrg(slow, levels=2, lattice=model.lattice, key=KEY)
    assert judged.fixed_point is not True


def test_errors_do_not_depend_on_bins_that_are_too_short():
    """Every sample 20 times: as large an error from bins of 20 rows as from bins of 200."""
    rows = np.repeat(drawn(it.Ising(it.Square(8, 8), 0.4), 400), 20, axis=0)
    short, long = (
        it.rg.mcrg(rows, levels=1, couplings=2, lattice=it.Square(8, 8), bins=bins, key=KEY).y_T_error[0, 1]
        for bins in (400, 40)
    )
    assert 0.6 < short / long < 1.6


def test_a_single_coupling_is_judged_by_more():
    """The truncation to one coupling moves its value, not the verdict."""
    assert found(K_C, couplings=1).fixed_point is True
    assert found(0.43, couplings=1).fixed_point is False


def test_the_chain_flows_to_disorder():
    off = found(0.5, lattice=it.Chain(64), rule=it.rg.Decimation(2), levels=2, couplings=2)
    assert off.fixed_point is False


def test_potts_models_are_judged_too():
    """q = 3 off its critical point; q = 4 has logarithms, q = 5 a transition of first order."""
    for q, K, expected in ((3, 0.97, False), (4, np.log(3), None), (5, np.log(1 + 5**0.5), False)):
        model = it.Potts(it.Square(16, 16), q, K)
        states = drawn(model, 2000, 10)
        judged = it.rg.mcrg(states, states=q, lattice=model.lattice, levels=2, bins=20, key=KEY)
        assert judged.fixed_point is expected, (q, judged.reason)
        assert judged.warnings


def test_a_transition_of_first_order_has_no_exponents(tmp_path):
    """Five Potts states on sizes far below the correlation length: a line fits, and means nothing."""
    flags = ("--exponents", "--system", "potts:5", "--sizes", "4-6-8", "--samples", "2000", "--bins", "10")
    record = run(tmp_path, *flags)
    assert (
        record["exponents"] == {} and record["fixed_point"] is False and "first order" in record["headline"]
    )

    def potts(side):
        return it.Potts(it.Square(side, side), 5, np.log(1 + 5**0.5))

    scaled = it.rg.finite_size(potts, (4, 6, 8), samples=2000, key=KEY)
    assert math.isnan(scaled.nu) and math.isnan(scaled.eta_error) and "ν = " not in str(scaled)
    assert scaled.warnings[0].startswith("no-fixed-point") and "first order" in scaled.warnings[0]


def test_exponents_in_three_dimensions_by_the_command(tmp_path, capsys):
    """ν 0.62997, η 0.03630 within 4σ, with the caveat of slow corrections."""
    flags = ("--exponents", "--system", "ising:cubic", "--sizes", "4-6-8-10", "--samples", "6000")
    record = run(tmp_path, *flags)
    for name, known in (("nu", 0.629971), ("eta", 0.036298)):
        found = record["exponents"][name]
        assert abs(found["mean"] - known) < 4 * found["error"] and found["exact"] is None
    assert any("L^−0.83" in line for line in record["warnings"]) and "0.629971" in str(record["facts"])
    too_large = ["renormalize", "--exponents", "--system", "ising:cubic", "--sizes", "8-64-128"]
    assert main(too_large) != 0 and "sides up to 64" in capsys.readouterr().err


def test_three_dimensions_are_said_to_converge_slowly():
    cubic = it.Cubic(8)
    spins = drawn(it.Ising(cubic, 0.2216546), 1000)
    judged = it.rg.mcrg(spins, levels=1, couplings=2, lattice=cubic, key=KEY)
    assert any(line.startswith("assumption") and "three dimensions" in line for line in judged.warnings)


@pytest.mark.slow
def test_three_dimensions_are_not_judged_by_few_steps(tmp_path, capsys):
    """ν of two steps on 16³ is 0.654(10), where 0.630 is right: no headline, and no verdict."""
    flags = ("--system", "ising:cubic:16", "--levels", "2", "--couplings", "2", "--samples", "1200")
    record = run(tmp_path, *flags)
    assert record["fixed_point"] is None and record["exponents"] == {}
    assert "cannot be told" in record["headline"] and "three dimensions" in capsys.readouterr().out

    def ising(side):
        return it.Ising(it.Cubic(side), 0.2216546)

    options = {"side": 8, "levels": 1, "couplings": 2, "sizes": None, "key": KEY}
    assert "NOT JUDGED" in str(it.rg.exponents(ising, samples=2000, **options))
    plain, counted = (
        it.rg.finite_size(ising, (4, 5, 6, 7), samples=2000, omega=omega, bins=20, key=KEY)
        for omega in (None, 0.83)
    )
    assert any("L^−0.83" in line for line in plain.warnings)
    assert not any("L^−0.83" in line for line in counted.warnings)


def test_two_sizes_cannot_show_that_a_line_describes_them():
    sizes = it.rg.finite_size(lambda L: it.Ising(it.Square(L, L), K_C), (4, 6), samples=2000, key=KEY)
    assert sizes.warnings[0].startswith("unjudged") and "nan" not in str(sizes)


@pytest.mark.slow
def test_clusters_of_frustrated_systems_are_told(tmp_path, capsys):
    """Asked for by name, of the command and of the function; the default has nothing to say."""
    rest = ("--levels", "1", "--couplings", "2", "--samples", "400")
    for system, K in (("ising:triangular:8", "-0.4"), ("edwards-anderson:8", "0.4")):
        given = ("--system", system, "--coupling", K, *rest)
        record = run(tmp_path / f"{system[:2]}-asked", *given, "--sampler", "swendsen-wang")
        told = [line for line in record["warnings"] if "frustration" in line]
        assert told and told[0] in capsys.readouterr().out
        record = run(tmp_path / f"{system[:2]}-auto", *given)
        assert not any("frustration" in line for line in record["warnings"])
    model = it.Ising(it.Triangular(6, 6), -0.4)
    asked = it.sample(model, 400, sampler=it.SwendsenWang(), key=KEY)
    assert any("frustration" in line for line in asked.warnings)
    assert not any("frustration" in line for line in it.sample(model, 400, key=KEY).warnings)


def test_operators_that_depend_on_each_other_are_refused():
    """On a torus of three sites "third" is "nearest"; the same family in two words, anywhere."""
    for side, levels in ((9, 1), (27, 2)):
        rows = np.ones((100, side * side), np.int8)
        with pytest.raises(InputError, match="'third' depend on those of 'nearest'"):
            it.rg.mcrg(rows, it.rg.Majority(3), levels=levels, couplings=4, lattice=it.Square(side, side))
    twice = ("nearest", ((0, 0), (0, 1)), "field")
    with pytest.raises(InputError, match="depend on those of 'nearest'"):
        it.rg.mcrg(np.ones((100, 64), np.int8), levels=1, couplings=twice, lattice=it.Square(8, 8))


def run(tmp_path, *flags):
    """The record of a small run of the command."""
    folder = tmp_path / "run"
    small = ("--starts", "0", "--samples", "4000", "--bins", "20", "--chains", "20")
    given = [f for pair in zip(small[::2], small[1::2], strict=True) if pair[0] not in flags for f in pair]
    assert main(["renormalize", *flags, *given, "--out", str(folder)]) == 0
    return json.loads((folder / "result.json").read_text())


def test_the_command_off_criticality(tmp_path, capsys):
    """No exponents in the headline; ξ of an ordered system without its order; the same notices everywhere."""
    record = run(tmp_path, "--system", "ising:32", "--coupling", "0.6", "--levels", "2")
    told = capsys.readouterr().out
    assert record["fixed_point"] is False and record["exponents"] == {}
    assert "no exponents" in record["headline"] and "ν" not in told
    assert record["warnings"][0].startswith("no-fixed-point")
    assert all(line in told for line in record["warnings"])
    length = record["observables"]["correlation_length"]
    assert abs(length["mean"] - 0.87) < 0.05 + 4 * length["error"]


def test_the_command_judges_no_unmixed_chains(tmp_path, capsys):
    flags = ("--system", "ising:32", "--sampler", "heat-bath", "--levels", "2", "--burn-in", "1")
    record = run(tmp_path, *flags)
    told = capsys.readouterr().out
    assert record["fixed_point"] is None and record["exponents"] == {}
    codes = {line.partition(":")[0] for line in record["warnings"]}
    assert {"unjudged", "chains-disagree"} <= codes and all(line in told for line in record["warnings"])


def test_the_textbook_chain(tmp_path, capsys):
    """Decimation: tanh K' = tanh² K, so 0.5, 0.2169, 0.0456."""
    flags = ("--system", "ising:chain:64", "--rule", "decimation:2", "--coupling", "0.5", "--levels", "3")
    record = run(tmp_path, *flags, "--starts", "2")
    assert record["fixed_point"] is False
    assert "0.5000 → 0.2169 → 0.0456 → 0.0021" in str(record["facts"])
    import xarray

    with xarray.open_dataset(tmp_path / "run" / "result.nc", engine="h5netcdf") as data:
        K, error = data["coupling"].values[:, 0], data["coupling_error"].values[:, 0]
        assert np.isfinite(data["flow"].values).all()
    exact = np.arctanh(np.tanh(0.5) ** (2 ** np.arange(4)))
    assert (abs(K - exact) < 4 * error).all() and error.max() < 0.03


def test_a_negative_coupling_is_taken(tmp_path):
    record = run(tmp_path, "--system", "ising:8", "--coupling", "-0.3", "--levels", "1", "--samples", "400")
    assert record["system"]["coupling"] == -0.3
    assert record["observables"]["energy"]["mean"] > 0  # antiparallel neighbours


def test_bins_are_asked_for_in_words():
    for rows, words in ((1, "four configurations or more, got 1"), (6, "2 to 3 bins of two configurations")):
        with pytest.raises(InputError, match=words):
            it.rg.mcrg(np.ones((rows, 64), np.int8), levels=1, lattice=it.Square(8, 8))


def test_central_charge_of_a_short_run():
    """c = 1/2 also where few steps were made: from the step itself, not from the last one's ln Z."""
    assert abs(it.rg.trg(K_C, chi=16, steps=12).exponents.central_charge - 0.5) < 0.01


def test_finite_size_scaling_off_criticality_has_no_exponents(tmp_path, capsys):
    """The ratio ⟨m⁴⟩/⟨m²⟩² moves with L: for the function and for the command."""

    def torus(K):
        return lambda L: it.Ising(it.Square(L, L), K)

    off = it.rg.finite_size(torus(0.42), (6, 8, 12, 16), samples=4000, key=KEY)
    assert math.isnan(off.nu) and off.warnings[0].startswith("no-fixed-point")
    at = it.rg.finite_size(torus(K_C), (6, 8, 12, 16), samples=4000, key=KEY)
    assert not at.moving and abs(at.nu - 1) < 0.05 + 4 * at.nu_error
    flags = ("--exponents", "--system", "ising", "--coupling", "0.42", "--sizes", "6-8-12-16")
    folder = tmp_path / "run"
    assert main(["renormalize", *flags, "--samples", "4000", "--out", str(folder)]) == 0
    record = json.loads((folder / "result.json").read_text())
    assert record["exponents"] == {} and "ν" not in record["headline"]
    assert record["fixed_point"] is False and record["warnings"][0] in capsys.readouterr().out


def test_lattices_too_small_to_compare_couplings_and_fields_are_not_judged():
    """27 → 9 → 3: y_T of three couplings is right, 1.025(8), the verdict open; also of magnetized samples."""
    small = found(K_C, 27, 4000, 2, rule=it.rg.Majority(3), couplings=3)
    assert small.fixed_point is None and "4 sites a side" in small.reason
    assert abs(small.y_T[-1, -1] - 1.025) < 4 * math.hypot(small.y_T_error[-1, -1], 0.008)
    model = it.Ising(it.Square(16, 16), 0.4, 0.05)
    judged = it.rg.mcrg(drawn(model, 1000), levels=2, lattice=model.lattice, key=KEY)
    assert judged.fixed_point is not True and "magnetized" in judged.reason
