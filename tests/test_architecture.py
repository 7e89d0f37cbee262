"""The import rule of the house, read from the code, and what importing it loads."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter

import pytest

from tests.commands import ROOT

# Floors of the house: a module imports only what stands on a lower floor. Longer names win.
FLOORS = {
    "zipnet.paper": 0,
    "zipnet.errors": 0,
    "zipnet.cpu": 0,
    "zipnet.atomic": 0,
    "zipnet.results": 1,
    "zipnet.recipe": 1,
    "zipnet.params": 1,
    "zipnet.data": 2,
    "zipnet.reference": 2,
    "zipnet.net": 3,
    "zipnet.count": 4,
    "zipnet.devices": 3,
    "zipnet.engines.base": 4,
    "zipnet.engines._torch_step": 5,
    "zipnet.engines.": 6,
    "zipnet.engines": 7,
    "zipnet.noise": 1,
    "zipnet.fused": 5,
    "zipnet.fused_cuda": 5,
    "zipnet.verify": 8,
    "zipnet.replicas": 9,
    "bench.measuring.first_step": 11,
    "zipnet.evaluation": 7,
    "zipnet.training": 8,
    "zipnet.__main__": 10,
    "bench.measuring.interrupts": 9,
    "bench.measuring.profiles": 9,
    "bench.measuring.machine": 9,
    "bench.measuring.memory": 9,
    "bench.measuring.workload": 9,
    "bench.measuring.folder": 8,
    "bench.measuring.writer": 9,
    "bench.measuring.gpu_state": 8,
    "bench.measuring.state": 9,
    "bench.measuring.watch": 10,
    "bench.measuring.settings": 10,
    "bench.measuring.harness": 11,
    "bench.measuring.laps": 12,
    "bench.measuring.workshop": 11,
    "bench.measuring.session": 13,
    "bench.measuring.progress": 12,
    "bench.bench_": 14,
    "bench.measuring.plugin": 15,
    "bench.measuring.node": 13,
}
# Packages of one idea: their files share a floor.
ROOMS = ("zipnet.data", "zipnet.fused", "zipnet.fused_cuda")
HEAVY = ("torch", "numba", "fvcore", "pandas", "matplotlib", "jax", "mlx", "pytest", "pooch")


def name_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path):
    """Modules imported at the top level: imports inside functions are on demand."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = set()
    for node in tree.body:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            deeper = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= {name for name in deeper if name in MODULES}
            names |= set() if deeper <= set(MODULES) else {node.module}
    return names


def floor(module):
    known = [
        prefix
        for prefix in FLOORS
        if module == prefix
        or (module + ".").startswith(prefix + ".")
        or (prefix[-1] in "._" and module.startswith(prefix))
    ]
    return FLOORS[max(known, key=len)] if known else None


MODULES = {
    name_of(p): p for folder in ("zipnet", "bench") for p in sorted((ROOT / folder).rglob("*.py"))
}


@pytest.mark.parametrize("module", [m for m in MODULES if floor(m) is not None])
def test_imports_go_down_only(module):
    for imported in imports(MODULES[module]):
        if imported in MODULES and floor(imported) is not None and not imported.startswith(module):
            same_room = any(module.startswith(r) and imported.startswith(r) for r in ROOMS)
            assert floor(imported) < floor(module) or same_room, f"{module} imports {imported}"


def test_there_are_no_circles():
    graph = {m: {n for n in imports(p) if n in MODULES and n != m} for m, p in MODULES.items()}
    for face in ("zipnet", "bench", "bench.measuring", "bench.report"):  # faces import nothing
        graph.pop(face, None)
    order = TopologicalSorter({m: ns & set(graph) for m, ns in graph.items()})
    assert len(list(order.static_order())) == len(graph)  # raises CycleError with the circle


def test_every_module_has_its_floor():
    outside = {"zipnet", "bench", "bench.__main__", "bench.measuring"}
    homeless = [m for m in MODULES if floor(m) is None and not m.startswith("bench.report")]
    assert set(homeless) == outside


def test_engines_do_not_import_siblings():
    engines = [m for m in MODULES if m.startswith("zipnet.engines.")]
    shared = {"zipnet.engines.base", "zipnet.engines._torch_step"}
    for module in engines:
        siblings = imports(MODULES[module]) & (set(engines) - shared - {module})
        assert not siblings, f"{module} imports {siblings}"


def test_zipnet_never_imports_bench():
    for module, path in MODULES.items():
        if module.startswith("zipnet"):
            assert not any(name.partition(".")[0] == "bench" for name in imports(path)), module


def test_reports_and_measuring_meet_through_files_only():
    for module, path in MODULES.items():
        if module.startswith("bench.report"):
            ours = {n for n in imports(path) if n.startswith("bench") and n in MODULES}
            assert all(name.startswith("bench.report") for name in ours), module


def test_reports_need_nothing_of_zipnet_but_its_leaves():
    allowed = {"zipnet", "zipnet.paper", "zipnet.errors", "zipnet.atomic"}
    for module, path in MODULES.items():
        if module.startswith("bench.report"):
            ours = {n for n in imports(path) if n.startswith("zipnet") and n in MODULES}
            assert ours <= allowed, f"{module} imports {ours - allowed}"


@pytest.mark.parametrize(
    "module", ["zipnet", "zipnet.recipe", "zipnet.params", "zipnet.data", "zipnet.engines"]
)
def test_importing_loads_nothing_heavy(module):
    code = f"import sys, {module}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert not set(HEAVY) & set(loaded)


def test_public_names_are_those_written_down():
    import zipnet

    for name in [*zipnet.__all__, *zipnet.__all__]:  # a second look must find the same
        assert callable(getattr(zipnet, name)), f"zipnet.{name} is hidden by a module of that name"
    assert sorted(zipnet.__all__) == list(zipnet.__all__)
    assert set(dir(zipnet)) == {*zipnet.__all__, "__version__"}
    with pytest.raises(AttributeError, match="no attribute 'speed'"):
        _ = zipnet.speed
