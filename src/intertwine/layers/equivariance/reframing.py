r"""The law where frames change: f' (h x) = h f(x), f' being f over the changed frames.

On a mesh no group moves the points; the frame of every vertex may be chosen anew. The function is then
another one, the same weights over the space in its new frames (`on_space`), and components of input and
output change with the frames. A space that has `reframed(element)` is tested so. A function of one's own
says nothing of its frames: only isometries test it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import numpy as np

from intertwine.layers.equivariance.action import Action
from intertwine.layers.equivariance.reasons import likely_reason
from intertwine.layers.equivariance.running import Case, compiled, runner
from intertwine.layers.same_weights import on_space

_FEW = 0.02

Run = Callable[[list[np.ndarray]], list[np.ndarray]]


def changes_frames(action: Action, h: int) -> bool:
    """Whether element h of a test is a change of frames."""
    return bool(action.drawn) and getattr(action.element(h), "frames", None) is not None


def judges_frames(subject: object, action: Action) -> bool:
    """Whether the subject can be taken over other frames: a module, where frames change at all."""
    return isinstance(subject, eqx.Module) or not any(
        changes_frames(action, h) for h in range(len(action.drawn))
    )


def in_frames(subject: Any, action: Action, h: int) -> Any:
    """The subject over the frames that element h changes to; itself where it has none."""
    if action.space is None or not changes_frames(action, h) or not isinstance(subject, eqx.Module):
        return subject
    return on_space(subject, {action.space: action.space.reframed(action.element(h))})


def reason_of_frames(functions: tuple[Any, Any], action: Action, x: np.ndarray, h: int, tol: float) -> str:
    """Why other frames give something else, of (f, f'): one sentence without a full stop, or ""."""
    plain, other = functions
    y = np.asarray(plain(x))
    found, expected = np.asarray(other(action.on_input(h, x))), action.on_output(h, y)
    for mistake in getattr(action.space, "usual_mistakes", ()):
        into, out = mistake.change(x, action.rep_in), mistake.change(action.on_input(h, x), action.rep_in)
        one, two = (mistake.back(np.asarray(f(z)), action.rep_out) for f, z in ((plain, into), (other, out)))
        if one.ndim > 2 and action.difference(two, action.on_output(h, one), one, h) <= max(tol, 1e-4):
            return mistake.words
    gap = np.abs(found - expected)
    if gap.ndim < 3 or not np.isfinite(gap).all():
        return ""
    at = np.flatnonzero(gap.max(axis=(0, 2)) > tol * np.abs(y).max())
    if 0 < len(at) <= max(2, _FEW * gap.shape[1]):
        where = ", ".join(map(str, at[:4])) + (", …" if len(at) > 4 else "")
        return f"only vertices {where} are wrong: a neighbour is seen there without its transport"
    return (
        "neighbours are seen without transport to the frame of the centre, or the kernel depends on the frame"
    )


def moved_outputs(cases: Sequence[Case], run: Run, h: int) -> list[np.ndarray]:
    """The outputs for h x, over the frames that h changes to where it changes them."""
    inputs = [case.action.on_input(h, case.x) for case in cases]
    if not any(changes_frames(case.action, h) for case in cases):
        return run(inputs)
    subjects = [in_frames(case.subject, case.action, h) for case in cases]
    if not isinstance(subjects[-1], eqx.Module):
        return [case.action.on_output(h, np.asarray(case.function(case.x))) for case in cases]  # not judged
    return [np.asarray(y) for y in compiled(subjects, [jax.numpy.asarray(x) for x in inputs])]


def reason_at(case: Case, h: int, limit: float) -> str:
    """The likely reason for an error under element h."""
    found = likely_reason(case.subject, case.function, case.action, case.x, h, limit)
    if not changes_frames(case.action, h) or found.startswith(
        ("the output for", "its output has", "two calls")
    ):
        return found
    other = runner(in_frames(case.subject, case.action, h))
    return reason_of_frames((case.function, other), case.action, case.x, h, limit) or found
