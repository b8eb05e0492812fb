"""Dependencies point one way, and what must be light is light."""

import ast
import subprocess
import sys
from pathlib import Path

import azr
import pytest

ROOT = Path(azr.__file__).parent
# Who may import whom: a module may import those of its own layer and of the layers below it.
LAYERS = [
    {"types", "errors", "randomness", "registry", "reductions", "visible"},
    {"config", "sandbox", "buffer", "buffer_values", "behaviour", "_azr"},
    {"tasks", "rewards", "rollouts", "trainer"},
    {"domains"},
    {"run", "store", "shards", "parts", "taskfile"},
    {"propose", "validate", "flow", "solve", "reward", "update", "seed", "metrics"},
    {"evals", "observe", "oversight", "ahead", "save", "grading", "adapters"},
    {"loop", "build", "session", "examine"},
    {"report"},
    {"watch"},
]


def layer(module: str) -> int | None:
    name = module.split(".")[1] if module.startswith("azr.") else ""
    return next((level for level, names in enumerate(LAYERS) if name in names), None)


def imports(path: Path) -> set[str]:
    """What the module imports at run time, at its top or inside functions; not what only type checkers see."""
    tree = ast.parse(path.read_text("utf-8"))
    tree.body = [
        node for node in tree.body if not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test))
    ]
    found = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    found |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return {name for name in found if name.startswith("azr.")}


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_dependencies_point_one_way(path: Path) -> None:
    own = layer("azr." + ".".join(path.relative_to(ROOT).with_suffix("").parts))
    if own is None:
        return
    for name in imports(path):
        assert not name.startswith("azr.cli"), f"{path} imports the command line"
        other = layer(name)
        assert other is None or other <= own, f"{path} imports {name} from a higher layer"


def test_types_import_nothing_of_ours_at_run_time() -> None:
    code = "import sys, azr.types; print(sorted(m for m in sys.modules if m.startswith('azr.')))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == (
        "['azr.errors', 'azr.types']\n"
    )


@pytest.mark.parametrize(
    "module", ["azr", "azr.cli", "azr.cli.train", "azr.config", "azr.loop", "azr.session", "azr.build"]
)
def test_importing_it_loads_no_torch(module: str) -> None:
    code = f"import sys, {module}; print({{'torch', 'transformers', 'vllm'}} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_help_loads_neither_numpy_nor_pydantic() -> None:
    code = "import sys\nfrom azr.cli import azr\ntry: azr.main(['--help'])\nexcept SystemExit: pass\n"
    code += "print({'torch', 'numpy', 'pydantic', 'transformers'} & set(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "train" in shown and shown.endswith("set()\n")


def test_only_the_command_line_prints() -> None:
    for path in ROOT.rglob("*.py"):
        if "cli" in path.relative_to(ROOT).parts:
            continue
        calls = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
        assert not any(isinstance(call.func, ast.Name) and call.func.id == "print" for call in calls), path


def test_nothing_evaluates_or_unpickles_text() -> None:
    """No module of the trainer can run what a model wrote: the means are not there."""
    # The benchmark runs programs of its own as others do, which is what is measured.
    exempt = {ROOT / "measure" / f"{name}.py" for name in ("peers", "speed", "costs")}
    # Sources that only the sandbox's interpreter runs; of these `carry` alone is imported here, and is not exempt.
    exempt |= {ROOT / "evals" / "guest" / f"{name}.py" for name in ("candidate", "judge", "contest")}
    for path in set(ROOT.rglob("*.py")) - exempt:
        tree = ast.parse(path.read_text("utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in {"eval", "exec", "compile", "__import__"}, path
        assert not {name for name in _plain_imports(tree) if name.split(".")[0] in {"pickle", "marshal", "shelve"}}, (
            path
        )


def _plain_imports(tree: ast.AST) -> set[str]:
    found = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return found | {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}


def test_nothing_here_imports_what_only_the_sandbox_runs() -> None:
    for path in set(ROOT.rglob("*.py")) - set((ROOT / "evals" / "guest").glob("*.py")):
        text = path.read_text("utf-8")
        for name in ("candidate", "judge", "contest"):
            assert f"import azr.evals.guest.{name}" not in text and f"from azr.evals.guest.{name}" not in text, path
            assert f"from azr.evals.guest import {name}" not in text, path
