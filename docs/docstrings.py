"""How docstrings become pages: a griffe extension that mkdocs.yml names.

The docstrings are plain text. Here their doctests become code blocks, and lines `name: what it is` lists.
"""

import re
from typing import Any

import griffe

FIELD = re.compile(r"([a-z_]\w*(?:, [a-z_]\w*)*): ")


def as_markdown(text: str) -> str:
    """The docstring in Markdown."""
    pages, kind = [], ""
    for line in [*text.split("\n"), ""]:
        if kind != "code" and line.startswith(">>>"):
            pages += ["", "```pycon"]
            kind = "code"
        if kind == "code":
            if line.strip():
                pages.append(line)
                continue
            pages.append("```")
        field = FIELD.match(line)
        if field:
            pages += [""] * (kind != "list")
            pages.append(f"- `{field[1]}`: {line[field.end() :]}")
            kind = "list"
        elif kind == "list" and line.strip() and not line.startswith("Raises"):
            pages.append("    " + line.strip())
        else:
            pages += [""] * (kind == "list")
            pages.append(line)
            kind = ""
    return "\n".join(pages).strip()


class Docstrings(griffe.Extension):
    """Rewrites every docstring before it is parsed."""

    def on_instance(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        if obj.docstring:
            obj.docstring.value = as_markdown(obj.docstring.value)
