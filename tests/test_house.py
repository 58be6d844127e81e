"""The plan of the house, read from its source: no circles of imports, no crowded folder, names where they are
promised. The order of the folders is checked by import-linter."""

import ast
from pathlib import Path

import pytest

import intertwine as it

SOURCE = Path(it.__file__).parent
MOST_FILES = 20
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
