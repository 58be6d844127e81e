"""The page in a real browser, offline: drawn, silent, and no wider than a phone or a desktop window.

Runs where Chromium, its driver and selenium are installed (Debian: `chromium chromium-driver`), else it is
skipped with the reason. The browser gets a proxy that answers nothing, so a request to a network could only
fail, and the page's own list of loaded resources must be empty.
"""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from intertwine.report import write_report

from .make_fields_run import make_fields_run
from .make_learn_run import make_learn_run
from .make_renormalize_run import make_renormalize_run
from .make_run import make_run
from .make_structures_run import make_structures_run

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
ABSENT = [
    name
    for name, there in {
        "chromium": BROWSER,
        "chromedriver": DRIVER,
        "the Python package selenium": importlib.util.find_spec("selenium"),
    }.items()
    if not there
]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(bool(ABSENT), reason="not installed: " + ", ".join(ABSENT)),
]

FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync --disable-dev-shm-usage --proxy-server=127.0.0.1:9"
)
DRAWN = "return [...document.querySelectorAll('.plot')].every(plot => plot.dataset.drawn === 'yes')"
SIZES = """
return [...document.querySelectorAll('.plot')].map(plot => {
  const box = plot.querySelector('svg.main-svg')?.getBoundingClientRect();
  const drawings = '.scatterlayer path, .barlayer path, .heatmaplayer image, .gl-container canvas';
  const marks = plot.querySelectorAll(drawings).length;
  return [plot.id, box ? box.width : 0, box ? box.height : 0, marks];
});
"""
LOADED = """
return performance.getEntriesByType('resource').map(entry => entry.name)
  .filter(name => !name.startsWith('data:'));
"""


FIELDS = {"globe": 5, "pixels": 5, "mesh": 4}
"""Pages of fields, and their figures."""
STRUCTURES = {"energies": 8, "residues": 6}
"""The same of structures."""


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = str(BROWSER)
    for flag in FLAGS.split():
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('profile')}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(options=options, service=Service(executable_path=str(DRIVER)))
    browser.set_page_load_timeout(60)
    yield browser
    browser.quit()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("runs")
    written = {
        name: write_report(make_run(folder / name, lattice))
        for name, lattice in {"chain": "chain:20", "square": "square:6x6", "kagome": "triangular:4x4"}.items()
    }
    unfinished = make_run(folder / "unfinished", "chain:20", steps=30)
    for name in ("result.json", "result.nc"):
        (unfinished / name).unlink()
    learned = write_report(make_learn_run(folder / "learned"))
    renormalized = write_report(make_renormalize_run(folder / "renormalized"))
    written |= {kind: write_report(make_fields_run(folder / kind, kind)) for kind in FIELDS}
    written |= {kind: write_report(make_structures_run(folder / kind, kind)) for kind in STRUCTURES}
    written |= {"unfinished": write_report(unfinished), "learned": learned, "renormalized": renormalized}
    return written


def show(driver, page: Path, width: int, scheme: str = "light") -> None:
    """Open `page` in a viewport of `width` pixels and wait until its figures are drawn."""
    from selenium.webdriver.support.ui import WebDriverWait

    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    feature = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", feature)
    driver.get_log("browser")
    driver.get_log("performance")
    driver.get(page.as_uri())
    WebDriverWait(driver, 60).until(lambda browser: browser.execute_script(DRAWN))


@pytest.mark.parametrize("width", [375, 1280])
@pytest.mark.parametrize(
    "name", ["chain", "square", "kagome", "unfinished", "learned", "renormalized", *FIELDS, *STRUCTURES]
)
def test_page_is_drawn_silent_offline_and_fits(driver, pages, name: str, width: int) -> None:
    show(driver, pages[name], width)
    told = driver.get_log("browser")  # advice on the speed of WebGL is no fault of the page
    assert [
        entry for entry in told if name not in FIELDS | STRUCTURES or entry["source"] != "rendering"
    ] == []
    sizes = driver.execute_script(SIZES)
    plots = {"chain": 7, "square": 7, "kagome": 7, "unfinished": 4, "learned": 6, "renormalized": 4}
    assert len(sizes) == (plots | FIELDS | STRUCTURES)[name]
    for plot, across, down, marks in sizes:
        assert across > 200 and down > 200, plot
        assert marks > 0, plot
    wide, window = driver.execute_script("return [document.documentElement.scrollWidth, window.innerWidth]")
    assert window == width
    assert wide <= window
    assert driver.execute_script(LOADED) == []
    log = "".join(entry["message"] for entry in driver.get_log("performance"))
    requested = [part.split('"')[0] for part in log.split('"documentURL":"')[1:]]
    assert all(url.startswith("file:") for url in requested)
    assert "http://" not in log.replace("http://www.w3.org", "")
    assert "https://" not in log


def test_pictures_are_seen_at_every_width(driver, pages) -> None:
    for width in (375, 1280):
        show(driver, pages["learned"], width)
        seen = driver.execute_script(
            "return [...document.images].map("
            "i => [i.complete, i.naturalWidth, i.getBoundingClientRect().width])"
        )
        assert len(seen) == 160
        assert all(whole and natural == 8 and 15 < across < 120 for whole, natural, across in seen)


def test_opened_twice_the_page_is_the_same(driver, pages) -> None:
    inside = "return document.querySelector('main').outerHTML"
    drawings = []
    for _ in range(2):
        show(driver, pages["chain"], 1280)
        drawings.append(driver.execute_script(inside))
    assert len(drawings[0]) > 10_000
    assert drawings[0] == drawings[1]


def test_dark_scheme_changes_page_and_figures(driver, pages) -> None:
    def colours() -> list[str]:
        return driver.execute_script(
            "return [getComputedStyle(document.body).backgroundColor,"
            " getComputedStyle(document.querySelector('.plot .ytick text')).fill]"
        )

    show(driver, pages["chain"], 1280, "light")
    light = colours()
    show(driver, pages["chain"], 1280, "dark")
    dark = colours()
    assert light[0] != dark[0]
    assert light[1] != dark[1]


def test_markup_in_a_run_folder_is_inert(driver, tmp_path: Path) -> None:
    folder = make_run(tmp_path / "hostile")
    attack = "</script><script>window.attacked=1</script><img src=x onerror=window.attacked=1>"
    (folder / "config.toml").write_text(f"note = '{attack}'\n[model]\n\"<b onclick=1>\" = '{attack}'\n")
    text = (folder / "result.json").read_text()
    for word in ("heisenberg", "Bethe ansatz", "SymmetricRBM"):
        text = text.replace(f'"{word}"', f'"{attack}"')
    (folder / "result.json").write_text(text)
    show(driver, write_report(folder), 375)
    assert driver.execute_script("return window.attacked === undefined && document.images.length === 0")
    assert driver.execute_script("return document.querySelectorAll('script:not([type])').length") == 2
    assert driver.get_log("browser") == []
    wide, window = driver.execute_script("return [document.documentElement.scrollWidth, window.innerWidth]")
    assert wide <= window
