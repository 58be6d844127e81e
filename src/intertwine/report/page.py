"""The page: a run folder as one HTML file that opens anywhere, without a network.

plotly.js, the styles and the numbers are inside the file. What comes from the folder is text, never markup:
the template escapes it, and the figures' JSON cannot close its own element. Should anything slip through, the
page's content security policy runs no script but its own two (named by their hashes) and loads nothing from
anywhere. The page is a function of the folder's files alone: no clock, no random identifiers, so the same run
gives the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import json
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from intertwine.records.folder import REPORT
from intertwine.records.writing import write_aside
from intertwine.report import common
from intertwine.report.theme import template
from intertwine.report.views import View, view_of

if TYPE_CHECKING:
    from intertwine.report.folder import FolderData

_HERE = files("intertwine.report")


def write_report(folder: str | Path) -> Path:
    """Write `report.html` into the run folder (aside, then renamed) and return its path.

    Raises `InputError` if the folder is not a run folder or one of its files is damaged; a file that is only
    missing is named on the page.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "metrics.jsonl").write_text('{"step": 0, "energy": -1.5, "error": 0.1}')
    >>> write_report(folder).name
    'report.html'
    """
    folder = Path(folder)
    view = view_of(folder)
    page = render(view.read(folder), view).encode("utf-8")
    path = folder / REPORT
    write_aside(path, page)
    return path


def embed_json(value: object) -> Markup:
    r"""`value` as JSON that is inert inside a script element: no "<", ">" or "&" survives, and no NaN.

    >>> str(embed_json("</script><b>&"))
    '"\\u003c/script\\u003e\\u003cb\\u003e\\u0026"'
    """
    text = json.dumps(value, allow_nan=False, sort_keys=True, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def render(run: FolderData, view: View) -> str:
    """The page of a run as text."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    environment.filters["embed_json"] = embed_json
    scripts = get_plotlyjs(), _asset("page.js")
    words = view.summary
    left = [("Result", words.table(run)), ("Versions", common.versions(run))]
    right = [("Configuration", common.configuration(run.config))]
    return environment.from_string(_asset("page.html.j2")).render(
        run=run,
        title=words.title(run),
        lead=words.lead(run),
        notices=words.notices(run),
        cards=words.cards(run),
        plates=view.plates(run),
        columns=[left, right],
        commands=common.commands(run),
        version=run.result.get("version") or "",
        templates={scheme: template(scheme) for scheme in ("light", "dark")},
        style=Markup(_asset("page.css")),
        scripts=[Markup(script) for script in scripts],
        script_hashes=" ".join(f"'sha256-{_sha256(script)}'" for script in scripts),
    )


def _asset(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _sha256(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
