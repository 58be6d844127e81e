"""Rows of numbers as small pictures: PNG files inside the page, drawn by no library.

Two palettes: `INK`, from dark to light, for what units show; `SIGNED`, blue for positive and orange for
negative, the fainter the smaller, for weights: it lies on light and dark pages alike.
"""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np

LEVELS = 64
"""Shades of a palette; an odd number of them for `SIGNED`, so that 0 is one."""


def _ramp(begin: tuple[int, ...], end: tuple[int, ...], count: int) -> np.ndarray:
    share = np.linspace(0.0, 1.0, count)[:, None]
    return np.rint((1 - share) * np.array(begin) + share * np.array(end)).astype(np.uint8)


INK = np.hstack([_ramp((15, 20, 27), (244, 246, 249), LEVELS), np.full((LEVELS, 1), 255, np.uint8)])
SIGNED = np.vstack(
    [
        _ramp((214, 104, 24, 255), (214, 104, 24, 0), LEVELS // 2),
        _ramp((61, 132, 204, 0), (61, 132, 204, 255), LEVELS // 2 + 1),
    ]
)


def unit_pictures(rows: np.ndarray, shape: tuple[int, int], units: str) -> list[str]:
    """Each row (n, height·width) of values of visible units as a picture, data URIs; grey bytes as they are.

    >>> unit_pictures(np.array([[0, 1, 1, 0]]), (2, 2), "binary")[0][:22]
    'data:image/png;base64,'
    """
    x = np.asarray(rows, dtype=float)
    low, high = {"binary": (0.0, 1.0), "spin": (-1.0, 1.0)}.get(units, (float(x.min()), float(x.max())))
    scaled = np.clip((x - low) / ((high - low) or 1.0), 0.0, 1.0)
    levels = np.rint(scaled * (LEVELS - 1)).astype(np.uint8)
    return [png(row.reshape(shape), INK) for row in levels]


def signed_pictures(rows: np.ndarray, shape: tuple[int, int]) -> list[str]:
    """Each row (n, height·width) of weights as a picture; one scale, to their 99.5th percentile."""
    x = np.asarray(rows, dtype=float)
    reach = float(np.quantile(np.abs(x), 0.995)) or 1.0
    half = LEVELS // 2
    levels = np.rint(np.clip(x / reach, -1.0, 1.0) * half + half).astype(np.uint8)
    return [png(row.reshape(shape), SIGNED) for row in levels]


def png(levels: np.ndarray, palette: np.ndarray) -> str:
    """The data URI of a PNG: uint8 (height, width) indices into `palette`, uint8 (colours, 4) RGBA."""
    height, width = levels.shape
    colours = _chunk(b"PLTE", np.ascontiguousarray(palette[:, :3]).tobytes())
    colours += _chunk(b"tRNS", np.ascontiguousarray(palette[:, 3]).tobytes())
    return _png(levels, width, height, 3, colours)


def colour_pictures(images: np.ndarray) -> list[str]:
    """Images (n, height, width, 3) of red, green and blue as pictures; one scale, from least to largest.

    >>> colour_pictures(np.zeros((1, 2, 2, 3)))[0][:22]
    'data:image/png;base64,'
    """
    low, high = float(images.min()), float(images.max())
    levels = np.rint((images - low) / ((high - low) or 1.0) * 255).astype(np.uint8)
    return [_png(image.reshape(len(image), -1), image.shape[1], len(image), 2, b"") for image in levels]


def _png(lines: np.ndarray, width: int, height: int, colour_type: int, colours: bytes) -> str:
    """A PNG of lines of bytes, each of which begins with its filter, 0 for none."""
    with_filters = np.pad(lines, ((0, 0), (1, 0)))
    data = b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0)),
            colours,
            _chunk(b"IDAT", zlib.compress(with_filters.tobytes(), 9)),
            _chunk(b"IEND", b""),
        ]
    )
    return "data:image/png;base64," + base64.b64encode(data).decode("ascii")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
