"""The page as text: the numbers it must show, the same bytes each time, complete, markup inert."""

from __future__ import annotations

import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from plotly.offline import get_plotlyjs

from intertwine._checks import InputError
from intertwine.report import write_report
from intertwine.report.page import embed_json

from .make_run import make_run

ATTACK = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"'&"


class Elements(HTMLParser):
    """Every element of a page with its attributes, and the identifiers used."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def elements(text: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Elements()
    parser.feed(text)
    return parser.found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("runs") / "chain of 20")


@pytest.fixture(scope="module")
def page(folder: Path) -> str:
    return write_report(folder).read_text(encoding="utf-8")


def words(page: str) -> str:
    """What a reader sees: the page without scripts, styles and tags."""
    text = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", text)))


@pytest.mark.parametrize(
    "shown",
    [
        "−35.61684 ± 0.00021",
        "−35.617546",
        "Bethe ansatz",
        "2 × 10⁻⁵ |E − E₀| / |E₀|, known to ± 5.9 × 10⁻⁶",
        "6.3 × 10⁻⁶",
        "3.4 standard errors",
        "R-hat 1.0008",
        "effective sample size 13500",
        "optimiser.learning_rate 0.05",
        "model.name symmetric-rbm:4",
        "jax 0.10.2",
        "intertwine resume 'chain of 20'",
        "intertwine run 'chain of 20/config.toml'",
        "It is largest at k = 1 π",
    ],
)
def test_page_says(page: str, shown: str) -> None:
    assert shown in words(page)


def test_figures_are_on_the_page_with_names_and_words(page: str) -> None:
    plots = [attributes for _, attributes in elements(page) if attributes.get("class") == "plot"]
    assert [plot["id"] for plot in plots] == [
        f"{name}-plot"
        for name in (
            "energy",
            "v-score",
            "optimiser",
            "chains",
            "correlation",
            "correlation-lattice",
            "structure-factor",
        )
    ]
    assert all(plot["role"] == "img" and plot["aria-label"] for plot in plots)
    assert ("html", {"lang": "en"}) in elements(page)
    identifiers = [a["id"] for _, a in elements(page) if "id" in a]
    assert len(identifiers) == len(set(identifiers))


def test_same_run_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    first = write_report(folder).read_bytes()
    assert write_report(folder).read_bytes() == first
    elsewhere = make_run(tmp_path / folder.name)
    assert write_report(elsewhere).read_bytes() == first
    assert sorted(path.name for path in elsewhere.iterdir()) == [
        "config.toml",
        "metrics.jsonl",
        "report.html",
        "result.json",
        "result.nc",
    ]


def test_page_is_complete_in_itself(page: str) -> None:
    plotly = get_plotlyjs()
    assert page.count(plotly) == 1
    rest = page.replace(plotly, "")
    assert "http" not in rest.replace("http-equiv", "")
    for _, attributes in elements(rest):
        assert not (attributes.get("src") or "").strip()
        assert (attributes.get("href") or "#").startswith(("#", "data:,"))
    assert len(rest) < 300_000


def test_markup_in_the_folder_stays_text(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "<b>run&")
    (folder / "config.toml").write_text(f"note = {json.dumps(ATTACK)}\n[model]\n{json.dumps(ATTACK)} = 1\n")
    result = json.loads((folder / "result.json").read_text())
    result |= {name: ATTACK for name in ("kind", "version", "hamiltonian", "lattice", "model")}
    result["exact"]["source"] = ATTACK
    result["versions"] = {ATTACK: ATTACK}
    (folder / "result.json").write_text(json.dumps(result))
    text = write_report(folder).read_text(encoding="utf-8")
    assert ATTACK in words(text)
    assert "<img" not in text.replace(get_plotlyjs(), "")
    assert len(re.findall(r"<script>", text.replace(get_plotlyjs(), ""))) == 2
    assert not any(name.startswith("on") for _, a in elements(text) for name in a)


def test_label_of_the_dataset_stays_text(tmp_path: Path) -> None:
    import xarray as xr

    folder = make_run(tmp_path / "run")
    with xr.open_dataset(folder / "result.nc", engine="h5netcdf") as stored:
        dataset = stored.load()
    dataset["spin_correlation"].attrs["long_name"] = ATTACK
    dataset.to_netcdf(folder / "result.nc", engine="h5netcdf", mode="w")
    text = write_report(folder).read_text(encoding="utf-8")
    assert ATTACK in words(text)
    assert "<img" not in text.replace(get_plotlyjs(), "")


def test_json_in_the_page_is_inert_and_whole() -> None:
    value = {"name": ATTACK, "line": "\u2028<!--", "numbers": [1.5, None]}
    text = str(embed_json(value))
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == value
    with pytest.raises(ValueError, match="JSON"):
        embed_json(float("nan"))


def test_unfinished_run_says_so_and_what_is_missing(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", steps=40)
    for name in ("result.json", "result.nc"):
        (folder / name).unlink()
    with (folder / "metrics.jsonl").open("a") as file:
        file.write('{"step": 40, "ener')
    text = words(write_report(folder).read_text(encoding="utf-8"))
    assert "This run has not finished: 40 steps so far" in text
    assert "at step 39" in text
    assert "Ground state: heisenberg on chain:20" in text
    assert "result.nc is not there: spin correlations and structure factor cannot be shown." in text
    assert "intertwine resume run" in text


def test_no_exact_energy(tmp_path: Path) -> None:
    text = words(write_report(make_run(tmp_path / "run", exact=None)).read_text(encoding="utf-8"))
    assert "No exact energy is known" in text
    assert "Relative error not known" in text


def test_page_warns_of_chains_that_disagree_and_of_impossible_energies(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run")
    result = json.loads((folder / "result.json").read_text())
    result["energy"] |= {"r_hat": 1.3, "mean": -35.7, "error": 1e-3}
    (folder / "result.json").write_text(json.dumps(result))
    text = words(write_report(folder).read_text(encoding="utf-8"))
    assert "the chains disagree" in text
    assert "below the exact one, where no state can be" in text


def test_a_damaged_file_leaves_the_old_page(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run")
    before = write_report(folder).read_bytes()
    (folder / "result.json").write_text("{")
    with pytest.raises(InputError, match=r"result\.json"):
        write_report(folder)
    assert (folder / "report.html").read_bytes() == before
