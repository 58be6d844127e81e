"""Every study of every command, killed with -9 at a line by chance and resumed: the numbers are those of a
run that was not killed, to the last bit."""

import random
import signal

import pytest

from learning.pair_network import clusters

from .runs import assert_same, begin, lines, stop_at

KILLS = 10
LEARN = (
    "learn --data ising:3 --rows 200 --checkpoint-every 3 --ais-temperatures 50 --ais-chains 8 --samples 64"
    " --sample-chains 8 --sample-steps 5"
)
SPINS = "renormalize --checkpoint-every 2 --chains 4 --bins 16"
ROWS = {
    "ground state": "ground-state --lattice chain:6 --model rbm:1 --samples 64 --chains 16 --steps 150"
    " --final-samples 128 --checkpoint-every 7",
    "ground state, exact sums": "ground-state --lattice chain:8 --steps 60 --checkpoint-every 7",
    "ground state, electrons": "ground-state --lattice chain:6 --hamiltonian hubbard --fermions 3,3"
    " --steps 60 --samples 64 --final-samples 64 --patience 20 --checkpoint-every 7",
    "ground state, atoms": "ground-state --lattice chain:8 --hamiltonian rydberg --checkpoint-every 7",
    "evolution": "evolve --lattice chain:6 --time 0.6 --points 40 --model rbm:1 --checkpoint-every 3",
    "evolution, samples": "evolve --lattice chain:6 --time 0.3 --points 30 --model rbm:1 --samples 256"
    " --checkpoint-every 3",
    "entropies": "entangle --lattice chain:10",
    "rbm": f"{LEARN} --model rbm:8 --epochs 60",
    "dbm": f"{LEARN} --model dbm:8-4 --epochs 30 --layer-epochs 10",
    "dbn": f"{LEARN} --model dbn:8-4 --epochs 30 --layer-epochs 10",
    "classifier": "classify --data digits --network cnn:1 --group p4 --epochs 8 --examples 400"
    " --checkpoint-every 2",
    "fields": "fields --data winds:6 --epochs 40 --network product:1 --checkpoint-every 3",
    "structures": "fields --data STRUCTURES --epochs 30 --network painn:2 --layers 1 --checkpoint-every 3",
    "flow": f"{SPINS} --system ising:16 --levels 2 --starts 2 --samples 6400",
    "exponents": f"{SPINS} --system ising --exponents --sizes 4-6-8 --samples 6400",
    "callan-symanzik": f"{SPINS} --system ising:16 --callan-symanzik --at 0.35,0.55 --samples 6400",
    "curvature": "renormalize --curvature --system ising:8 --samples 4000 --checkpoint-every 2",
    "approximate": "renormalize --rule migdal-kadanoff --starts 8 --checkpoint-every 2",
    "tensors": "renormalize --rule trg:8 --starts 8 --checkpoint-every 2",
    "network": "renormalize LEARNT --flow-steps 2000 --checkpoint-every 2",
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """(the command of a row, the folder of its run without a kill), by name."""
    place, found = tmp_path_factory.mktemp("whole"), {}

    def of(name):
        if name not in found:
            words = ROWS[name].split()
            if "STRUCTURES" in words and not (place / "clusters.xyz").exists():
                clusters(30, sizes=(4, 6), species=(1, 8)).to_file(place / "clusters.xyz")
            named = {"STRUCTURES": str(place / "clusters.xyz")}
            arguments = [str(of("rbm")[1]) if word == "LEARNT" else named.get(word, word) for word in words]
            folder = place / name.replace(" ", "-")
            process = begin([*arguments, "--out", str(folder)])
            _, err = process.communicate(timeout=300)
            assert process.returncode == 0, err
            found[name] = arguments, folder
        return found[name]

    return of


@pytest.mark.slow
@pytest.mark.parametrize("name", ROWS)
def test_killed_and_resumed(name, whole, tmp_path):
    chance = random.Random(name)
    arguments, reference = whole(name)
    for number in range(KILLS):
        folder = tmp_path / f"run-{number}"
        target = chance.randint(1, lines(reference) - 1)
        code, _, err = stop_at(begin([*arguments, "--out", str(folder)]), folder, target)
        assert code in (-signal.SIGKILL, 0), err  # a short study may have ended
        process = begin(["resume", str(folder)])
        _, err = process.communicate(timeout=300)
        assert process.returncode == 0 and "Traceback" not in err, err
        assert_same(folder, reference)
