"""What the documentation shows is executed: Python blocks page by page, commands at a small size."""

import re
import shlex
from pathlib import Path

import jax
import numpy as np
import pytest
from PIL import Image

import intertwine as it
from data.make_files import mnist_folder
from intertwine.cli import main
from intertwine.runs import running
from printed import BLOCK, differences, run

ROOT = Path(__file__).parent.parent
PAGES = [
    ROOT / "README.md",
    *(
        ROOT / "docs" / f"{n}.md"
        for n in (
            "tutorial",
            "electrons-atoms",
            "dynamics",
            "boltzmann",
            "learning",
            "renormalization",
            "callan-symanzik",
            "depth",
            "emergence",
            "curvature",
            "entanglement",
            "equivariance",
            "gauge",
            "fields",
            "meshes",
            "sphere",
            "points",
            "transport",
            "conservation",
            "circuits",
            "path-integral",
            "from-netket",
            "from-escnn-e3nn",
            "from-scikit-learn",
        )
    ),
]
SMALL = ["--steps", "3", "--samples", "64", "--chains", "16", "--final-samples", "64"]


pytestmark = pytest.mark.usefixtures("as_users_compile")  # pages and commands as their readers run them


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


def readme_holds(shown: dict) -> None:
    """One machine: close to the distribution, to its coupling, and to the energy of the quantum magnet."""
    exact = it.exact.ground_energy(it.tfim(shown["torus"], J=1.0, h=3.0))
    assert abs(shown["run"].energy.mean - exact) < min(3 * shown["run"].energy.error, 1e-4 * abs(exact))
    best = -shown["data"].known.entropy
    assert abs(shown["likelihood"].mean - best) < 3 * shown["likelihood"].error
    assert abs(shown["couplings"].means[0] - np.log(1 + np.sqrt(2)) / 2) < 0.04


def tutorial_holds(shown: dict) -> None:
    """The energy and the correlation of the ring of 20, against diagonalization."""
    energy, psi = it.exact.ground_state(shown["antiferromagnet"])
    assert abs(shown["ground"].energy.mean - energy) < 3 * shown["ground"].energy.error
    states = np.arange(2**20)
    first, sixth = (1 - 2 * (states >> (19 - site) & 1) for site in (0, 5))
    correlation = float(np.sum(np.abs(psi) ** 2 * first * sixth))
    assert abs(shown["correlation"].mean - correlation) < 3 * shown["correlation"].error


def renormalization_holds(shown: dict) -> None:
    """Onsager's exponents at the last step."""
    found = shown["found"]
    assert found.fixed_point
    for y, error, exact_y in ((found.y_T, found.y_T_error, 1), (found.y_H, found.y_H_error, 15 / 8)):
        assert abs(y[-1, -1] - exact_y) < 3 * error[-1, -1]


TRUTHS: dict[str, list] = {
    "README.md": [readme_holds],
    "tutorial.md": [tutorial_holds],
    "renormalization.md": [renormalization_holds],
}
"""Checks of the names that a page's blocks leave behind, against exact values."""


SHORT = ("README",)


@pytest.mark.parametrize(
    "page",
    [pytest.param(page, marks=() if page.stem in SHORT else pytest.mark.slow) for page in PAGES],
    ids=lambda page: page.name,
)
def test_python_blocks_run_and_print_what_the_page_says(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # some write files
    found = list(BLOCK.finditer(page.read_text(encoding="utf-8")))
    assert found
    jax.config.update("jax_enable_x64", False)  # as for a reader; pages that want float64 say so
    namespace: dict = {}
    for block in found:
        printed = run(block["code"], page, namespace)
        if printed.strip():
            assert block["text"], f"{page.name} does not show what is printed:\n{printed}"
        if block["text"]:
            assert not differences(block["text"], printed, int(block["within"] or 0) / 100)
    for holds in TRUTHS.get(page.name, []):
        holds(namespace)


def ground_state_commands() -> list[str]:
    lines = "\n".join(block for page in PAGES for block in blocks(page, "console")).splitlines()
    return sorted({line.split("&&")[-1].strip() for line in lines if "intertwine ground-state" in line})


@pytest.mark.parametrize("command", ground_state_commands())
def test_shown_commands_run(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(shlex.split(command)[1:] + SMALL) == 0
    assert len(list(tmp_path.glob("runs/*/report.html"))) == 1


LEARNING = ROOT / "docs" / "learning.md"


def learn_commands() -> list[str]:
    lines = "\n".join(blocks(LEARNING, "console")).splitlines()
    return [line.removeprefix("$").strip() for line in lines if "intertwine learn" in line]


@pytest.mark.parametrize("command", learn_commands())
def test_shown_learning_commands_are_accepted(command, tmp_path, monkeypatch):
    """Up to the configuration: the runs themselves are tested with the experiment."""
    monkeypatch.chdir(tmp_path)
    asked = []
    monkeypatch.setattr(running, "start", lambda c, path, **_: asked.append(c))
    assert main(shlex.split(command)[1:]) == 0
    assert asked and asked[0].kind == "learn"


@pytest.mark.slow
def test_the_folder_of_a_learning_run_is_complete(tmp_path):
    small = ["--data", "bars-and-stripes:2", "--model", "rbm:3", "--epochs", "2", "--batch", "4",
             "--samples", "400", "--sample-steps", "5", "--precision", "float64"]  # fmt: skip
    assert main(["learn", *small, "--out", str(tmp_path / "run")]) == 0
    names = re.findall(
        r"^\| `([^|`]*)` \|", LEARNING.read_text().rpartition("## The folder")[2], re.MULTILINE
    )
    assert len(names) == 7
    assert all((tmp_path / "run" / name.rstrip("/")).exists() for name in names)


def test_the_run_folder_of_the_docs_is_complete(tmp_path):
    assert main(["ground-state", "--lattice", "chain:6", *SMALL, "--out", str(tmp_path / "run")]) == 0
    page = (ROOT / "docs" / "tutorial.md").read_text()
    rows = re.findall(r"^\| `([^|]*)` \|", page[: page.index("report.html") + 200], re.MULTILINE)
    names = [name for row in rows for name in row.split("`, `")]
    assert len(names) == 6
    assert all((tmp_path / "run" / name.rstrip("/")).exists() for name in names)


RENORMALIZING = ROOT / "docs" / "renormalizing.md"


def renormalize_commands() -> list[str]:
    pages = (RENORMALIZING, *(ROOT / "docs" / f"{n}.md" for n in ("callan-symanzik", "curvature")))
    lines = "\n".join(block for page in pages for block in blocks(page, "console")).splitlines()
    return [line.removeprefix("$").strip() for line in lines if "intertwine renormalize" in line]


@pytest.mark.parametrize("command", renormalize_commands())
def test_shown_renormalization_commands_are_accepted(command, tmp_path, monkeypatch):
    """Up to the configuration: the runs themselves are tested with the experiment."""
    monkeypatch.chdir(tmp_path)
    asked = []
    monkeypatch.setattr(running, "start", lambda c, path, **_: asked.append(c))
    assert main(shlex.split(command)[1:]) == 0
    assert asked and asked[0].kind == "renormalize"


@pytest.mark.slow
def test_the_folder_of_a_renormalization_run_is_complete(tmp_path):
    small = ["--system", "ising:8", "--levels", "1", "--couplings", "2", "--samples", "200", "--chains", "5",
             "--bins", "8", "--starts", "0", "--burn-in", "5"]  # fmt: skip
    assert main(["renormalize", *small, "--out", str(tmp_path / "run")]) == 0
    table = RENORMALIZING.read_text().rpartition("## The folder")[2]
    names = re.findall(r"^\| `([^|`]*)` \|", table, re.MULTILINE)
    assert len(names) == 6
    assert all((tmp_path / "run" / name.rstrip("/")).exists() for name in names)


CLASSIFYING = ROOT / "docs" / "classifying.md"


def classify_commands() -> list[str]:
    lines = "\n".join(blocks(CLASSIFYING, "console")).splitlines()
    return [line.removeprefix("$").strip() for line in lines if "intertwine classify" in line]


@pytest.mark.parametrize("command", classify_commands())
def test_shown_classifying_commands_are_accepted(command, tmp_path, monkeypatch):
    """Up to the configuration: the runs themselves are tested with the experiment."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    np.savez(tmp_path / "images.npz", train=np.zeros((4, 5, 5), np.uint8), labels=np.arange(4))
    for number, name in enumerate(("circle", "square")):
        (tmp_path / "shapes" / name).mkdir(parents=True)
        for row in range(2):
            picture = Image.fromarray(np.full((8, 8), 100 * number + row, np.uint8))
            picture.save(tmp_path / "shapes" / name / f"{row}.png")
    asked = []
    monkeypatch.setattr(running, "start", lambda c, path, **_: asked.append(c))
    assert main(shlex.split(command)[1:]) == 0
    assert asked and asked[0].kind == "classify"


@pytest.mark.slow
def test_the_classifying_page_holds(tmp_path, monkeypatch):
    """Its Python blocks, on smaller networks and one epoch: digits on the sphere (here noise), a run that is
    loaded, and the function's fit."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    mnist_folder(tmp_path / "data")
    turned, loaded, learnt = blocks(CLASSIFYING, "python")
    names, before = {"it": it, "jax": jax}, jax.config.jax_enable_x64
    try:
        flags = ["--network", "cnn:1", "--epochs", "1", "--batch", "200", "--out", "runs/digits-p4m-cnn-4"]
        assert main(["classify", *flags]) == 0
        for small in (("cnn:4", "cnn:1"), ("validation=0.1", "validation=0.1, epochs=1, batch=200")):
            assert small[0] in learnt
            learnt = learnt.replace(*small)
        exec(learnt, names)
        exec(loaded, names)
        few = ("validation=0.1", "validation=0.25, epochs=1")
        for small in (("so3:10", "zonal:2"), ("sphere:24", "sphere:8"), few):
            assert small[0] in turned
            turned = turned.replace(*small)
        exec(turned, spherical := dict(names))
    finally:
        jax.config.update("jax_enable_x64", before)
    assert spherical["net"].space == it.Sphere(8, "driscoll-healy", size=(60, 60))
    assert names["run"].metrics["validation_loss"][-1] == names["fit"].history[-1]["validation_loss"]
    assert names["shares"].shape == names["scores"].shape == (len(names["names"]), 10)


FIELDS = ROOT / "docs" / "fields.md"


def fields_commands() -> list[str]:
    lines = "\n".join(blocks(FIELDS, "console")).splitlines()
    return [line.removeprefix("$").partition("#")[0].strip() for line in lines if "intertwine fields" in line]


@pytest.mark.parametrize("command", fields_commands())
def test_shown_commands_of_fields_are_accepted(command, tmp_path, monkeypatch):
    """Up to the configuration: the runs themselves are tested with the experiment."""
    monkeypatch.chdir(tmp_path)
    asked = []
    monkeypatch.setattr(running, "start", lambda c, path, **_: asked.append(c))
    assert main(shlex.split(command)[1:]) == 0
    assert asked and asked[0].kind == "fields"
