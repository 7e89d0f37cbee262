"""The processor: what systems, containers and sandboxes say of it, and what they keep."""

import math
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zipnet import cpu

EPYC = """\
processor\t: {core}
vendor_id\t: AuthenticAMD
cpu family\t: 25
model\t\t: {model}
model name\t: AMD EPYC
stepping\t: 1
cpu MHz\t\t: 2{core}50.0
flags\t\t: fpu sse4_2 avx avx2 fma {flags}

"""
NEOVERSE = """\
processor\t: {core}
BogoMIPS\t: 50.00
Features\t: fp asimd asimdhp sve
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x0
CPU part\t: {part}
CPU revision\t: 1

"""


@pytest.fixture
def linux(monkeypatch, tmp_path):
    """A Linux system of our own: linux(path, text) writes one of its files."""
    monkeypatch.setattr(cpu, "PROC", tmp_path / "proc")
    monkeypatch.setattr(cpu, "SYS", tmp_path / "sys")
    monkeypatch.setattr(cpu.platform, "system", lambda: "Linux")
    monkeypatch.setattr(cpu, "_output", lambda *command: "")  # it has no lscpu
    caches = (cpu.quota, cpu._by_lscpu, cpu.caches)
    for cache in caches:
        cache.cache_clear()

    def write(path, text):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())

    yield write
    for cache in caches:
        cache.cache_clear()


# --- what it is ---------------------------------------------------------------------------------


def test_two_processors_of_one_name_differ_in_design_and_extensions(linux):
    said = []
    for model, flags in ((1, ""), (17, "avx512f")):
        linux("proc/cpuinfo", "".join(EPYC.format(core=n, model=model, flags=flags) for n in "01"))
        said.append((cpu.model(), cpu.design(), cpu.flags() - {"fpu", "sse4_2", "avx", "fma"}))
    assert said == [
        ("AMD EPYC", "AuthenticAMD family 25 model 1 stepping 1", {"avx2"}),
        ("AMD EPYC", "AuthenticAMD family 25 model 17 stepping 1", {"avx2", "avx512f"}),
    ]


def test_without_a_name_it_is_called_by_its_design(linux):
    nameless = EPYC.format(core=0, model=17, flags="").replace("model name\t: AMD EPYC\n", "")
    linux("proc/cpuinfo", nameless)
    assert cpu.model() == "AuthenticAMD family 25 model 17 stepping 1"


def test_arm_is_called_by_its_part_which_lscpu_has_a_name_for(linux, monkeypatch):
    linux("proc/cpuinfo", "".join(NEOVERSE.format(core=n, part="0xd4f") for n in range(4)))
    assert cpu.model() == cpu.design() == "implementer 0x41 part 0xd4f variant 0x0 revision 1"
    said = "Architecture:  aarch64\nVendor ID:     ARM\nModel name:    Neoverse-V2\nModel:     1\n"
    monkeypatch.setattr(cpu, "_output", lambda *command: said)
    cpu._by_lscpu.cache_clear()
    assert cpu.model() == "Neoverse-V2"
    assert cpu.flags() >= {"asimd", "sve"}


def test_cores_of_two_designs_are_both_named(linux):
    cores = enumerate(["0xd05", "0xd05", "0xd0b"])
    linux("proc/cpuinfo", "".join(NEOVERSE.format(core=n, part=part) for n, part in cores))
    for n, capacity in enumerate((446, 446, 1024)):
        linux(f"sys/devices/system/cpu/cpu{n}/cpu_capacity", f"{capacity}\n")
    assert "part 0xd05 + 0xd0b" in cpu.design()
    assert cpu.kinds() == [1, 2]


def test_performance_and_efficiency_cores_are_told_apart(linux, monkeypatch):
    assert cpu.kinds() == []
    linux("sys/devices/cpu_core/cpus", "0-15\n")
    assert cpu.kinds() == []
    linux("sys/devices/cpu_atom/cpus", "16-22,31\n")
    assert cpu.kinds() == [16, 8]
    linux("sys/devices/cpu_atom/cpus", "some\n")
    assert cpu.kinds() == []


def test_caches_are_read_level_by_level(linux):
    assert cpu.caches() == cpu.COMMON, "nothing is stated"
    cpu.caches.cache_clear()
    stated = [
        ("1", "Data", "48K", "0,64"),
        ("1", "Instruction", "32K", "0,64"),
        ("2", "Unified", "2048K", "0,64"),
        ("3", "Unified", "107520K", "0-31,64-95"),
    ]
    for n, values in enumerate(stated):
        for name, value in zip(("level", "type", "size", "shared_cpu_list"), values, strict=True):
            linux(f"sys/devices/system/cpu/cpu0/cache/index{n}/{name}", f"{value}\n")
    assert cpu.caches() == {1: (48 * 2**10, 2), 2: (2**21, 2), 3: (105 * 2**20, 64)}


def test_macos_says_its_fast_cores_caches_by_sysctl(linux, monkeypatch):
    said = (
        "hw.perflevel0.l1dcachesize: 131072\nhw.perflevel0.l2cachesize: 12582912\n"
        "hw.perflevel0.cpusperl2: 4\nhw.l1dcachesize: 65536\nhw.l2cachesize: 4194304\n"
    )
    monkeypatch.setattr(cpu.platform, "system", lambda: "Darwin")
    monkeypatch.setattr(cpu, "_output", lambda *_: said)
    assert cpu.caches() == {1: (2**17, 1), 2: (12 * 2**20, 4)}


def test_macos_says_it_by_sysctl(monkeypatch):
    said = (
        "machdep.cpu.brand_string: Apple M1 Pro\nhw.cpufamily: 458787763\n"
        "hw.perflevel0.logicalcpu: 8\nhw.perflevel1.logicalcpu: 2\n"
    )
    asked = []

    def run(command, **_):
        asked.append(command[0])
        return SimpleNamespace(stdout=said)

    monkeypatch.setattr(cpu.platform, "system", lambda: "Darwin")
    monkeypatch.setattr(cpu.subprocess, "run", run)
    assert (cpu.model(), cpu.design()) == ("Apple M1 Pro", "family 458787763")
    assert cpu.kinds() == [8, 2]
    assert set(asked) == {"/usr/sbin/sysctl"}


@pytest.mark.parametrize("error", [FileNotFoundError, PermissionError, ValueError, RuntimeError])
def test_a_command_that_fails_says_nothing(linux, monkeypatch, error):
    monkeypatch.undo()

    def run(command, **_):
        raise error("no")

    monkeypatch.setattr(cpu.subprocess, "run", run)
    assert cpu._output("lscpu") == ""


@pytest.mark.parametrize("text", [None, "", "\n\n", "model name\t: unknown\n", b"\xff\xfe\0 no\n"])
def test_a_system_that_says_nothing_has_an_architecture(linux, monkeypatch, text):
    if text is not None:
        linux("proc/cpuinfo", text)
    monkeypatch.setattr(cpu.platform, "processor", lambda: "")
    monkeypatch.setattr(cpu.platform, "machine", lambda: "riscv64")
    assert (cpu.model(), cpu.design()) == ("riscv64", "")
    assert (cpu.kinds(), cpu.flags()) == ([], set())
    monkeypatch.setattr(cpu.platform, "machine", lambda: "")
    assert cpu.model() == "unknown"


def test_a_name_that_is_not_utf_8_is_one_line_all_the_same(linux):
    linux("proc/cpuinfo", b"model name\t: Ryz\xe9n\x07 9  " + b"x" * 5000 + b"\n")
    assert cpu.model().startswith("Ryz\N{REPLACEMENT CHARACTER}n? 9 xxx")
    assert len(cpu.model()) <= 120


@given(st.text())
def test_any_text_is_parsed(text):
    assert all(name == name.strip() and value for name, value in cpu._parsed(text).items())


# --- how much of it -----------------------------------------------------------------------------


@pytest.fixture
def sixteen(monkeypatch):
    monkeypatch.setattr(cpu.os, "sched_getaffinity", lambda _: set(range(16)))


@pytest.mark.parametrize(
    ("said", "quota", "cores"),
    [
        ("max 100000", None, 16),
        ("200000 100000", 2.0, 2),
        ("150000 100000", 1.5, 2),
        ("50000 100000", 0.5, 1),
        ("6400000 100000", 64.0, 16),  # the mask is the smaller
        ("0 0", None, 16),
        ("-5 100000", None, 16),
        ("many", None, 16),
        (b"\xff\xff", None, 16),
        ("", None, 16),
    ],
)
def test_cores_are_the_smaller_of_mask_and_quota(linux, sixteen, said, quota, cores):
    linux("proc/self/cgroup", "0::/\n")  # as a container sees itself
    linux("sys/fs/cgroup/cpu.max", said)
    assert (cpu.quota(), cpu.affinity(), cpu.cores()) == (quota, 16, cores)


def test_a_quota_of_any_level_counts(linux, sixteen):
    linux("proc/self/cgroup", "0::/jobs/one/step\n")
    linux("sys/fs/cgroup/jobs/one/step/cpu.max", "max 100000\n")
    linux("sys/fs/cgroup/jobs/one/cpu.max", "300000 100000\n")
    linux("sys/fs/cgroup/jobs/cpu.max", "800000 100000\n")
    assert (cpu.quota(), cpu.cores()) == (3.0, 3)


@pytest.mark.parametrize("mount", ["cpu", "cpu,cpuacct"])
def test_version_1_keeps_quota_and_period_apart(linux, sixteen, mount):
    linux("proc/self/cgroup", "9:name=systemd:/\n4:cpu,cpuacct:/docker/12ab\n3:cpuset:/\n0::/\n")
    folder = f"sys/fs/cgroup/{mount}"  # of the container: the host's path is not there
    linux(f"{folder}/cpu.cfs_period_us", "100000\n")
    linux(f"{folder}/cpu.cfs_quota_us", "-1\n")
    assert cpu.quota() is None
    cpu.quota.cache_clear()
    linux(f"{folder}/cpu.cfs_quota_us", "400000\n")
    assert (cpu.quota(), cpu.cores()) == (4.0, 4)


@pytest.mark.parametrize(
    "text", ["", "nonsense", "0::", "0::/../../x\n", "0:://x\n", ":::\n", b"\xff:\0:\n"]
)
def test_cgroups_that_cannot_be_read_are_no_limit(linux, sixteen, text):
    linux("proc/self/cgroup", text)
    assert (cpu.quota(), cpu.cores()) == (None, 16)


def test_a_mask_that_cannot_be_read_is_all_cores(linux, monkeypatch):
    def forbidden(_):
        raise PermissionError

    monkeypatch.setattr(cpu.os, "sched_getaffinity", forbidden)
    monkeypatch.setattr(cpu.os, "cpu_count", lambda: 6)
    assert (cpu.affinity(), cpu.cores()) == (None, 6)
    monkeypatch.delattr(cpu.os, "sched_getaffinity")
    monkeypatch.setattr(cpu.os, "cpu_count", lambda: None)
    assert (cpu.affinity(), cpu.cores()) == (None, 1)


@given(st.integers(1, 10**12), st.integers(1, 10**9))
def test_part_of_a_core_counts_as_one(microseconds, period):
    granted = cpu._granted(f"{microseconds} {period}")
    assert math.isclose(granted * period, microseconds)
