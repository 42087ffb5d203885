"""The house rules that a machine can check."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted([*ROOT.glob("nmrshift/**/*.py"), *ROOT.glob("service/**/*.py")])
Function = ast.FunctionDef | ast.AsyncFunctionDef


def test_files_and_functions_stay_small() -> None:
    assert len(SOURCES) > 40
    lengths = []
    for source in SOURCES:
        text = source.read_text("utf-8")
        assert len(text.splitlines()) <= 400, source
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, Function):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                assert length <= 80, f"{source}: {node.name} has {length} lines"
                lengths.append(length)
    lengths.sort()
    assert lengths[int(0.95 * len(lengths))] <= 40


def test_everything_public_has_a_docstring() -> None:
    for source in SOURCES:
        tree = ast.parse(source.read_text("utf-8"))
        assert ast.get_docstring(tree), source
        nodes: list[ast.AST] = [*tree.body]
        for node in nodes:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                assert ast.get_docstring(node), f"{source}: {node.name}"
                nodes.extend(node.body)
            if isinstance(node, Function) and not node.name.startswith("_"):
                assert ast.get_docstring(node), f"{source}: {node.name}"


@pytest.mark.parametrize("module", ["nmrshift", "nmrshift.chem.parse", "nmrshift.graph.molgraph"])
def test_imports_without_torch(module: str) -> None:
    code = f"import sys, {module}; print(sorted({{'torch', 'dgl'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert done.stderr == ""


def test_one_version() -> None:
    import tomllib

    import nmrshift

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == nmrshift.__version__
