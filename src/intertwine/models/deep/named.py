"""What the names of deep wave functions say: `vit:2x16:4:patch2:translations`, `resnet:2x8:relu`."""

from __future__ import annotations

import re
from typing import Any

VIT_NAMES = ("vit:LAYERSxDIM", "vit:LAYERSxDIM:HEADS:patchP", "vit:LAYERSxDIM:translations")
RESNET_NAMES = ("resnet:LAYERSxFEATURES", "resnet:LAYERSxFEATURES:product")


def vit_settings(options: frozenset[str]) -> dict[str, Any] | None:
    """The arguments of `ViT` that the options of a name mean; None for options that mean nothing.

    >>> sorted(vit_settings(frozenset({"4", "patch2", "translations"})).items())
    [('heads', 4), ('patch', 2), ('translations', True)]
    >>> vit_settings(frozenset({"2", "4"})) is None
    True
    """
    found: dict[str, Any] = {}
    for option in options:
        number = re.fullmatch(r"(patch)?([1-9][0-9]{0,2})", option)
        if number:
            name, value = "patch" if number[1] else "heads", int(number[2])
        elif option == "translations":
            name, value = option, True
        elif option == "softmax":
            name, value = "attention", option
        else:
            return None
        if name in found:
            return None
        found[name] = value
    return found


def resnet_settings(options: frozenset[str]) -> dict[str, Any] | None:
    """The arguments of `ResNet` likewise.

    >>> resnet_settings(frozenset({"product"}))
    {'head': 'product'}
    """
    if not options <= {"relu", "product"}:
        return None
    found = {"activation": "relu"} if "relu" in options else {}
    return found | ({"head": "product"} if "product" in options else {})
