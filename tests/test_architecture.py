"""The import rule of the house, read from the code, and what importing it loads."""

import ast
import subprocess
import sys
from collections import Counter
from fnmatch import fnmatchcase
from graphlib import TopologicalSorter
from itertools import chain

import pytest

from tests.commands import ROOT

# The floors of the house, lowest first: a module imports only what stands on a lower one. Before
# the colon the room, after it the modules; none is the room's own face.
HOUSE = """
zipnet: paper errors atomic chance births
zipnet: cpu doing
zipnet.results: schema
zipnet.results: statistics units
zipnet.results: modes places
zipnet.results: decode
zipnet.results: check quality machines
zipnet.results: table
zipnet.results: runs
zipnet.results: collect
zipnet.results: match
zipnet.results: noise
zipnet.results: verdict
zipnet.results: trials sweep price scaling
zipnet.results: roofs road
zipnet.results:
zipnet: recipe devices
zipnet: params schemes
zipnet.data: digits
zipnet.data: npz surroundings
zipnet.data: cache fetch given
zipnet.data: source
zipnet.data: fonts mnist usps
zipnet.data:
zipnet: reference
zipnet: net widened
zipnet: count
zipnet.fused: compiling threads
zipnet.fused: lanes
zipnet.fused: choices layout shuffles tiles
zipnet.fused: functions peak update
zipnet.fused: forward loss
zipnet.fused: backward random
zipnet.fused: planes
zipnet.fused: example
zipnet.fused: batch
zipnet.fused: steps
zipnet.fused:
zipnet.fused_cuda: cuda_layout
zipnet.fused_cuda: cuda_compiling
zipnet.fused_cuda: gpu
zipnet.fused_cuda: cuda_steps
zipnet.fused_cuda:
zipnet.engines: base
zipnet.engines: trial
zipnet.engines: _torch_step
zipnet.engines: *
zipnet.engines:
zipnet: verify evaluation
zipnet: training
zipnet: pursuit
zipnet: rates
zipnet: rivals
zipnet: replicas
zipnet:
zipnet: __main__
bench.measuring: environment interrupts profiles progress folder their_options
bench.measuring: gpu_state machine memory workload writer first_step commit
bench.measuring: state energy torchrun
bench.measuring: settings watch
bench.measuring: harness workshop
bench.measuring: laps node draft
bench.measuring: session journal document
bench.measuring: search trainings ranks
bench.measuring: reproduce
bench.measuring: questions
bench: bench_*
bench.measuring: plugin
bench.measuring:
bench.report: wording picks outputs
bench.report: learned
bench.report: factorial
bench.report.figures: palette
bench.report.figures: sheet
bench.report.figures: dots curves
bench.report.figures: specs ratios learning roadmap
bench.report.figures: costs roofline
bench.report.figures:
bench.report.compare: contestants tables
bench.report.compare: command
bench.report.compare:
bench.report.pages: svg said
bench.report.pages: sections summary
bench.report.pages: embedded
bench.report.pages: fill
bench.report.pages:
bench.report: publish trials_page
bench.report:
bench: __main__
bench:
"""
FLOORS = {
    f"{room}.{name}" if name else room: floor
    for floor, line in enumerate(HOUSE.split("\n"))
    for room, _, names in [line.partition(":")]
    for name in names.split() or [""]
    if room
}
# What a room may import of the house beside itself.
MAY_IMPORT = {
    "zipnet.results": ("zipnet.paper", "zipnet.errors", "zipnet.births"),
    "bench.report": ("zipnet.results", "zipnet.paper", "zipnet.errors", "zipnet.atomic"),
}
HEAVY = (
    "torch",
    "numba",
    "fvcore",
    "pandas",
    "matplotlib",
    "jax",
    "mlx",
    "pytest",
    "pooch",
    "scipy",
)


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
    known = [name for name in FLOORS if fnmatchcase(module, name)]
    return FLOORS[max(known, key=len)] if known else None


def within(room, module):
    return module == room or module.startswith(f"{room}.")


MODULES = {
    name_of(p): p for folder in ("zipnet", "bench") for p in sorted((ROOT / folder).rglob("*.py"))
}


@pytest.mark.parametrize("module", [m for m in MODULES if floor(m) is not None])
def test_imports_go_down_only(module):
    for imported in imports(MODULES[module]):
        if imported in MODULES and floor(imported) is not None:
            assert floor(imported) < floor(module), f"{module} imports {imported}"


def test_there_are_no_circles():
    graph = {m: {n for n in imports(p) if n in MODULES and n != m} for m, p in MODULES.items()}
    for face in ("zipnet", "bench", "bench.measuring", "bench.report"):  # faces import nothing
        graph.pop(face, None)
    order = TopologicalSorter({m: ns & set(graph) for m, ns in graph.items()})
    assert len(list(order.static_order())) == len(graph)  # raises CycleError with the circle


def test_every_module_has_its_floor():
    assert not [m for m in MODULES if floor(m) is None]


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_imports_of_the_house_only_what_it_may(room):
    for module in (m for m in MODULES if within(room, m)):
        for imported in imports(MODULES[module]) & set(MODULES):
            may = any(within(other, imported) for other in (room, *MAY_IMPORT[room]))
            assert may, f"{module} imports {imported}"


def test_measuring_and_reports_meet_through_files_only():
    """What measures knows what the schema says of files, and how a person reads numbers."""
    measuring = [m for m in MODULES if within("bench.measuring", m) or m.startswith("bench.bench_")]
    readers = {m for m in MODULES if within("bench.report", m) or within("zipnet.results", m)}
    for module in measuring:
        read = imports(MODULES[module]) & readers
        assert read <= {"zipnet.results.schema", "zipnet.results.units"}, f"{module} imports {read}"


def test_no_name_stands_for_two_things():
    """Neither a file's nor a class's; where it must be told apart it is, in its name."""
    paths = list(MODULES.values())
    names = [p.name for p in paths if not p.name.startswith("__")]
    nodes = chain.from_iterable(ast.walk(ast.parse(p.read_text(encoding="utf-8"))) for p in paths)
    names += [node.name for node in nodes if isinstance(node, ast.ClassDef)]
    assert not [name for name, count in Counter(names).items() if count > 1]


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


@pytest.mark.parametrize(
    "module",
    ["zipnet", "zipnet.recipe", "zipnet.params", "zipnet.data", "zipnet.engines", "zipnet.results"],
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
