"""What a page says that its code prints, compared with what the code prints here.

A page shows a block of Python, and under it a block `text` with what the block prints. Words must be equal. A
value `m ± e` must lie within four errors of the page's, one in scientific notation (a relative error, a
V-score) within a factor of ten, a diagnostic (τ, R̂, ESS, V-score), an error or a percentage within a factor
of three, a bound (≤) within a hundredth, a sum without error (± 0) within a part in a million, and any other
number within a part in a thousand: draws differ between machines, by rounding. What learning leaves differs
more: `<!-- within 10 % -->` on the line above the block `text` allows so much for all its
numbers, and a factor of ten for diagnostics.

    python tests/printed.py README.md docs/tutorial.md    # write the text blocks anew
"""

from __future__ import annotations

import contextlib
import io
import re
import sys
from pathlib import Path

import jax

BLOCK = re.compile(
    r"```python\n(?P<code>.*?)```"
    r"(?P<printed>\n+(?P<comment><!-- within (?P<within>\d+) % -->\n)?```text\n(?P<text>.*?)```)?",
    re.DOTALL,
)
"""A block of Python and, where there is one, the block of what it prints."""

NUMBER = re.compile(r"[−-]?\d[\d,]*(?:\.\d+)?(?:e[−+-]?\d+)?")
DIAGNOSTIC = re.compile(r"(?:τ|ρ|R̂|ESS|R-hat|V-score)\W*$")

ERRORS, DECADES, LOOSE, BOUND, EXACT, SUMMED = 4.0, 10.0, 3.0, 1e-2, 1e-3, 1e-6
ROUNDING = 1e-12
"""What is smaller in magnitude is rounding."""


def run(code: str, page: Path, namespace: dict) -> str:
    """What a block of Python prints."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(code, str(page), "exec"), namespace)
    return out.getvalue()


def differences(said: str, printed: str, within: float = 0.0) -> list[str]:
    """The ways in which what is printed differs from what the page says; [] where it does not. within: the
    relative difference that every number may have."""
    words = [[" ".join(w.split()) for w in NUMBER.split(text)] for text in (said, printed)]
    if words[0] != words[1]:
        return [f"the page says\n{said}\nbut the code prints\n{printed}"]
    found = []
    pairs = list(zip(NUMBER.findall(said), NUMBER.findall(printed), strict=True))
    for i, (page, here) in enumerate(pairs):
        a, b = _value(page), _value(here)
        before, after = words[0][i], words[0][i + 1]
        if after == "±":
            error = max(_value(pairs[i + 1][0]), _value(pairs[i + 1][1]))
            good = abs(a - b) <= max(ERRORS * error, SUMMED * abs(a))
        elif "e" in page or "e" in here:
            good = a == b or (a * b > 0 and 1 / DECADES <= a / b <= DECADES)
        elif before == "±" or after.startswith("%") or DIAGNOSTIC.search(before):
            loose = DECADES if within else LOOSE
            good = a == b or (a * b > 0 and 1 / loose <= a / b <= loose)
        else:
            bound = BOUND if before.endswith("≤") or after.startswith("≤") else EXACT
            good = abs(a - b) <= bound * max(abs(a), abs(b))
        good = good or abs(a - b) <= max(within * abs(a), ROUNDING)
        if not good:
            found.append(f"the page says {page!r} after {before!r}, the code prints {here!r}")
    return found


def _value(number: str) -> float:
    return float(number.replace("−", "-").replace(",", ""))


def write(page: Path) -> None:
    """Run a page, and write under each block that prints what it prints."""
    jax.config.update("jax_enable_x64", False)  # as for a reader; pages that want float64 say so
    namespace: dict = {}

    def anew(match: re.Match) -> str:
        printed = run(match["code"], page, namespace)
        shown = f"\n\n{match['comment'] or ''}```text\n{printed}```" if printed.strip() else ""
        return f"```python\n{match['code']}```{shown}"

    page.write_text(BLOCK.sub(anew, page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        write(Path(name))
