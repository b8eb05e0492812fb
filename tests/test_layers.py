"""Dependencies point one way, and what must be light is light."""

import ast
import functools
import subprocess
import sys
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import azr
import pytest

ROOT = Path(azr.__file__).parent
# Who may import whom: a module may import those of its own layer and of the layers below it. An entry names a package
# with all its modules, or one module; the longest entry that fits a module is its own.
LAYERS = [
    "types errors util",
    "config _azr",
    "sandbox metrics.reductions distributed.ranks",
    "tasks rewards rollouts trainer buffer",
    "domains",
    "run.folder run.events run.watchdog run.best buffer.curriculum tasks.io pipeline.parts pipeline.replay"
    " pipeline.supervised metrics distributed",
    "propose validate solve reward update pipeline.rollout_step run.seed",
    "evals oversight grading pipeline.async_rollouts run.checkpoint",
    "loop pipeline.build pipeline.context run.train domains.check bootstrap warmup",
    "report collection selfplay",
    "watch",
    "cli __main__",
]
# Packages whose modules stand in several layers: each module is listed, the package itself holds no code.
SPREAD = {"pipeline", "run"}
LEVELS = {name: level for level, names in enumerate(LAYERS) for name in names.split()}


def layer(module: str) -> int:
    """The layer of `module`, without the leading `azr.`; an error where no entry fits."""
    parts = module.split(".")
    for length in range(len(parts), 0, -1):
        if (found := LEVELS.get(".".join(parts[:length]))) is not None:
            return found
    raise AssertionError(f"azr.{module} is in no layer: add it to LAYERS in {Path(__file__).name}")


def modules(root: Path) -> dict[str, Path]:
    """Every module below `root` by its dotted name; a package by its own."""
    names = {}
    for path in root.rglob("*.py"):
        parts = path.relative_to(root).with_suffix("").parts
        names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return names


def imports(path: Path, known: Mapping[str, Path]) -> set[str]:
    """What the module imports of ours at run time, at its top or inside functions; not what only type checkers see."""
    found: set[object] = set()
    for node in _run_time(_parsed(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, f"{path}: a relative import hides its layer"
            # A name that is a module itself is imported, whatever its package holds.
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name.removeprefix("azr.") in known else node.module for name in names}
            found |= {"azr._azr"} & names
        elif isinstance(node, ast.Call) and _called(node) in ("import_module", "load_module", "find_spec"):
            found |= {argument.value for argument in node.args if isinstance(argument, ast.Constant)}
    return {name.removeprefix("azr.") for name in found if isinstance(name, str) and name.startswith("azr.")}


def _called(node: ast.Call) -> str:
    """The last name of what is called."""
    return ast.unparse(node.func).rpartition(".")[2]


@functools.cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def _run_time(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            for other in node.orelse:
                yield other
                yield from _run_time(other)
            continue
        yield node
        yield from _run_time(node)


def upward(root: Path) -> list[str]:
    """Each import of a module from a layer above that of its importer."""
    known = modules(root)
    # Of every module, whether it imports anything or is imported by anybody.
    levels = {name: layer(name) for name in known if name and name not in SPREAD}
    return [
        f"{name} imports {other}"
        for name, level in levels.items()
        for other in imports(known[name], known)
        if layer(other) > level
    ]


def circles(root: Path) -> list[str]:
    """One module of each import circle, imports inside functions included."""
    known = modules(root)
    sorter = TopologicalSorter({name: imports(path, known) & known.keys() - {name} for name, path in known.items()})
    try:
        sorter.prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_dependencies_point_one_way() -> None:
    assert upward(ROOT) == []


def test_no_import_circle() -> None:
    assert circles(ROOT) == []


def test_the_top_level_holds_the_loop_its_verbs_and_packages() -> None:
    verbs = {"propose", "validate", "solve", "reward", "update"}
    top = {path.stem for path in ROOT.glob("*.py")}
    assert top == verbs | {"loop", "types", "errors", "__init__", "__main__"}


def _planted(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


def test_an_upward_import_is_found_inside_functions_too(tmp_path: Path) -> None:
    root = _planted(tmp_path, sandbox__client="def f():\n    from azr.tasks import io\n", tasks__io="")
    assert upward(root) == ["sandbox.client imports tasks.io"]


def test_a_module_without_a_layer_is_found(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"azr\.attic\.old is in no layer"):
        upward(_planted(tmp_path, attic__old="LEFT = 1\n"))


def test_an_import_by_name_is_an_import(tmp_path: Path) -> None:
    source = "import importlib\ndef f():\n    importlib.import_module('azr.cli.train')\n"
    assert upward(_planted(tmp_path, sandbox__client=source, cli__train="")) == ["sandbox.client imports cli.train"]


def test_a_relative_import_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="a relative import hides its layer"):
        upward(_planted(tmp_path, sandbox__client="from ..cli import train\n"))


def test_what_only_type_checkers_skip_is_an_import(tmp_path: Path) -> None:
    source = "if TYPE_CHECKING:\n    import azr.watch\nelse:\n    import azr.cli\n"
    other = "if not TYPE_CHECKING:\n    import azr.cli\n"
    root = _planted(tmp_path, sandbox__client=source, sandbox__pool=other, cli__train="")
    assert sorted(upward(root)) == ["sandbox.client imports cli", "sandbox.pool imports cli"]


def test_a_circle_is_found(tmp_path: Path) -> None:
    root = _planted(tmp_path, tasks__a="from azr.tasks import b\n", tasks__b="def f():\n    import azr.tasks.a\n")
    assert set(circles(root)) == {"tasks.a", "tasks.b"}


def test_types_import_nothing_of_ours_at_run_time() -> None:
    code = "import sys, azr.types; print(sorted(m for m in sys.modules if m.startswith('azr.')))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == (
        "['azr.errors', 'azr.types']\n"
    )


LIGHT = ("azr", "azr.cli", "azr.cli.train", "azr.config", "azr.loop", "azr.run.train", "azr.pipeline.build")


def test_importing_them_loads_no_torch() -> None:
    heavy = "[name for name in ('torch', 'transformers', 'vllm') if name in sys.modules]"
    code = "import sys\n" + "\n".join(f"import {module}; print('{module}', {heavy})" for module in LIGHT)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [f"{module} []" for module in LIGHT]


def test_help_loads_neither_numpy_nor_pydantic() -> None:
    code = "import sys\nfrom azr.cli import azr\ntry: azr.main(['--help'])\nexcept SystemExit: pass\n"
    code += "print({'torch', 'numpy', 'pydantic', 'transformers'} & set(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "train" in shown and shown.endswith("set()\n")


def test_only_the_command_line_prints() -> None:
    for path in ROOT.rglob("*.py"):
        if "cli" in path.relative_to(ROOT).parts:
            continue
        calls = [node for node in ast.walk(_parsed(path)) if isinstance(node, ast.Call)]
        assert not any(isinstance(call.func, ast.Name) and call.func.id == "print" for call in calls), path


def test_nothing_evaluates_or_unpickles_text() -> None:
    """No module of the trainer can run what a model wrote: the means are not there."""
    # The benchmark runs programs of its own as others do, which is what is measured.
    exempt = {ROOT / "cli" / "measure" / f"{name}.py" for name in ("peers", "speed", "costs")}
    # Sources that only the sandbox's interpreter runs; of these `carry` alone is imported here, and is not exempt.
    exempt |= {ROOT / "evals" / "guest" / f"{name}.py" for name in ("candidate", "runner", "contest")}
    for path in set(ROOT.rglob("*.py")) - exempt:
        tree = _parsed(path)
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
        for name in ("candidate", "runner", "contest"):
            assert f"import azr.evals.guest.{name}" not in text and f"from azr.evals.guest.{name}" not in text, path
            assert f"from azr.evals.guest import {name}" not in text, path
