"""The plan of the house, read from its source: no circles of imports, no crowded folder, names where they are
promised. The order of the folders is checked by import-linter."""

import ast
from pathlib import Path

import pytest

import intertwine as it

SOURCE = Path(it.__file__).parent
MOST_FILES = 20
MOST_UNTYPED = 0.03
"""The share of parameters that may be without a type."""
FACES = [".".join(p.parent.relative_to(SOURCE).parts) for p in sorted(SOURCE.rglob("__init__.pyi"))]


def imports() -> dict[str, set[str]]:
    """The modules that each module imports while it runs, also inside functions."""
    files = {
        ".".join(("intertwine", *p.with_suffix("").relative_to(SOURCE).parts)).removesuffix(".__init__"): p
        for p in SOURCE.rglob("*.py")
    }
    found = {}
    for module, path in files.items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for_types = {
            id(inner)
            for node in ast.walk(tree)
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
            for inner in ast.walk(node)
        }
        names = set()
        for node in ast.walk(tree):
            if id(node) in for_types:
                continue
            if isinstance(node, ast.ImportFrom) and node.module:
                names |= {f"{node.module}.{a.name}" for a in node.names} | {node.module}
            elif isinstance(node, ast.Import):
                names |= {a.name for a in node.names}
        whole = {name for name in names if name in files}
        of_modules = {n for n in whole if not any(other.startswith(f"{n}.") for other in whole)}
        found[module] = of_modules - {module}
    return found


def circle(graph: dict[str, set[str]]) -> list[str]:
    """A circle of imports, or []."""
    done: set[str] = set()

    def from_here(module: str, way: list[str]) -> list[str]:
        if module in way:
            return [*way[way.index(module) :], module]
        if module not in done:
            for other in sorted(graph[module]):
                if found := from_here(other, [*way, module]):
                    return found
            done.add(module)
        return []

    return next((found for module in sorted(graph) if (found := from_here(module, []))), [])


def test_a_circle_is_found():
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def test_no_module_imports_itself_by_way_of_others():
    graph = imports()
    assert len(graph) > 400 and sum(map(len, graph.values())) > 1500
    assert circle(graph) == []


def test_no_folder_is_crowded():
    folders = {p.parent for p in SOURCE.rglob("*.py")}
    counts = {str(f.relative_to(SOURCE)): len([*f.glob("*.py")]) - 1 for f in folders}  # but for __init__
    assert {name: count for name, count in counts.items() if count > MOST_FILES} == {}


@pytest.mark.parametrize("face", FACES)
def test_names_are_there(face):
    """Every name of a folder's list; a function is not hidden by a file of its name."""
    package = it
    for part in face.split(".") if face else []:
        package = getattr(package, part)
    assert len(package.__all__) > 0
    for name in package.__all__:
        assert getattr(package, name) is not None
    files = {p.stem for p in Path(package.__file__).parent.glob("*.py")}
    assert files.isdisjoint(package.__all__), "the file would hide the name once it is imported"


def names_of_any(tree: ast.Module) -> set[str]:
    """`Any`, and the names that the module gives it."""
    names = {"Any"}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names |= {a.asname for a in node.names if a.name == "Any" and a.asname}
        elif isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Name):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if node.value.id in names:
                names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return names


def says_any(annotation: ast.expr | None, names: set[str]) -> bool:
    """Whether there is no annotation, or `Any` stands somewhere in it."""
    if annotation is None:
        return True
    found = {node.id for node in ast.walk(annotation) if isinstance(node, ast.Name)}
    found |= {node.attr for node in ast.walk(annotation) if isinstance(node, ast.Attribute)}
    return not found.isdisjoint(names)


def untyped(source: str) -> tuple[list[str], int]:
    """The parameters without a type, `function(parameter)`, and how many parameters there are; `self` and
    `cls` do not count."""
    tree = ast.parse(source)
    names, found, count = names_of_any(tree), [], 0
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        a = node.args
        every = [*a.posonlyargs, *a.args, *a.kwonlyargs, *(x for x in (a.vararg, a.kwarg) if x)]
        for parameter in every:
            if parameter.arg not in ("self", "cls"):
                count += 1
                if says_any(parameter.annotation, names):
                    found.append(f"{node.name}({parameter.arg})")
    return found, count


def test_parameters_without_a_type_are_found():
    source = """
from typing import Any
Thing = Any
def f(self, a, b: int, *rest: Any, c: dict[str, Any], d: "int", e: Thing, **more: object) -> Any: ...
"""
    assert untyped(source) == (["f(a)", "f(c)", "f(e)", "f(rest)"], 7)


def test_parameters_have_types():
    found, count = [], 0
    for path in SOURCE.rglob("*.py"):
        here, of = untyped(path.read_text(encoding="utf-8"))
        found += [f"{path.relative_to(SOURCE)}: {name}" for name in here]
        count += of
    assert count > 5000
    assert len(found) < MOST_UNTYPED * count, "\n".join(found)


def test_the_list_of_long_tests_names_tests(unknown_long_tests):
    """Where all tests were collected: `long_tests.txt` has no line of a test that is gone."""
    assert not unknown_long_tests
