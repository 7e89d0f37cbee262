"""Identity: stable, private, a folder name anywhere."""

import getpass
import json
import re
import shutil
import socket
import subprocess
import sys
from types import SimpleNamespace

import msgspec
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.measuring import machine
from bench.measuring.commit import commit
from tests.commands import ROOT, command, run
from zipnet.results.schema import Commit, Cpu, Limits, Machine

GIB = 2**30
A_FOLDER = r"[a-z0-9]([a-z0-9-]{0,78}[a-z0-9])?"


def test_identity_is_the_same_twice_and_names_nobody():
    about = machine.identity()
    assert about == machine.identity()
    text = msgspec.json.encode(about).decode()
    for private in (socket.gethostname(), getpass.getuser()):
        assert not re.search(rf"\b{re.escape(private)}\b", text)


@given(st.text(max_size=300))
def test_a_machine_name_is_a_folder_name_on_every_file_system(text):
    assert re.fullmatch(A_FOLDER, machine.slug(text))


# --- machines told apart --------------------------------------------------------------------------


def epyc(**processor):
    """A small guest of an EPYC, whose hypervisor hides which."""
    about = Cpu(model="AMD EPYC", physical_cores=2, logical_cores=2, arch="x86_64")
    for fact, value in processor.items():
        setattr(about, fact, value)
    return Machine(name="?", cpu=about, memory_gib=24, system="Linux")


def test_two_processors_that_are_called_alike_are_two_machines():
    milan = epyc(design="AuthenticAMD family 25 model 1 stepping 1", core="znver3")
    genoa = epyc(design="AuthenticAMD family 25 model 17 stepping 1", core="znver4")
    names = [machine.named(about) for about in (milan, genoa)]
    assert [name[:-7] for name in names] == ["amd-epyc-znver3-2c-24g", "amd-epyc-znver4-2c-24g"]


@pytest.mark.parametrize(
    "other",
    [
        {"design": "AuthenticAMD family 25 model 17 stepping 1"},
        {"extensions": ["avx2", "avx512f"]},
        {"core_kinds": [1, 1]},
        {"logical_cores": 4},
        {"arch": "aarch64"},
    ],
)
def test_whatever_differs_gives_another_name(other):
    assert machine.named(epyc(**other)) != machine.named(epyc())


def test_what_is_not_known_gives_no_other_name():
    said = epyc(design=None, core_kinds=None, extensions=[])
    assert machine.named(said) == machine.named(epyc())


def test_the_number_of_gpus_counts_and_every_model_is_in_the_name():
    one, eight = epyc(), epyc()
    one.gpus, eight.gpus = ["NVIDIA H100 80GB HBM3"], ["NVIDIA H100 80GB HBM3"] * 8
    names = [machine.named(about) for about in (one, eight)]
    assert "-24g-nvidia-h100-80gb-hbm3-" in names[0]
    assert "-24g-8x-nvidia-h100-80gb-hbm3-" in names[1]
    both = epyc(model="Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz", core="sapphirerapids")
    both.gpus = ["NVIDIA RTX 6000 Ada Generation", "NVIDIA RTX PRO 6000 Blackwell Workstation"]
    name = machine.named(both)
    assert len(name) <= 80
    assert re.search("xeon-.*sapphire.*-2c-24g-nvidia-rtx-6000.*-nvidia-rtx-pro-6", name)


@pytest.mark.parametrize(
    ("model", "core", "kinds", "words"),
    [
        ("Apple M1 Pro", "apple-m1", [8, 2], "apple-m1-pro-8-2c"),
        ("AMD Ryzen 9 7950X 16-Core Processor", "znver4", None, "amd-ryzen-9-7950x-znver4-2c"),
        ("AMD Ryzen 7 7840U w/ Radeon 780M Graphics", None, None, "amd-ryzen-7-7840u-w-radeon"),
        ("13th Gen Intel(R) Core(TM) i7-1360P", None, [8, 8], "13th-gen-intel-core-i7-1360p-8-8c"),
        ("Neoverse-N1", "neoverse-n1", None, "neoverse-n1-2c-24g"),
        ("x86_64", None, None, "x86-64-2c-24g"),
    ],
)
def test_a_name_says_in_words_what_people_tell_machines_by(model, core, kinds, words):
    name = machine.named(epyc(model=model, core=core, core_kinds=kinds))
    assert name.startswith(words)


texts = st.text(min_size=1, max_size=200)


@given(texts, texts, st.lists(texts, max_size=9), st.integers(0, 2**20))
def test_any_machine_has_a_folder_of_its_own_on_every_file_system(model, core, gpus, memory):
    about = epyc(model=model, core=core)
    about.gpus, about.memory_gib = gpus, memory
    name = machine.named(about)
    assert re.fullmatch(A_FOLDER, name)
    about.gpus = [*gpus, "one more"]
    assert machine.named(about) != name


@given(st.sampled_from([4, 8, 12, 16, 18, 24, 32, 36, 48, 64, 96, 128, 768, 2048]), st.data())
def test_what_a_system_keeps_of_its_memory_does_not_rename_a_machine(gib, data):
    kept = data.draw(st.integers(0, gib * GIB // 17))  # firmware, the kernel, a built-in GPU
    assert machine.installed(gib * GIB - kept) == gib


@pytest.mark.parametrize(("gib", "said"), [
    (0.4, 1), (1.9, 2), (7.6, 8), (15.49, 16), (15.51, 16), (23.54, 24), (31.2, 32), (36, 36),
    (47.1, 48), (62.7, 64), (125.6, 128), (188.4, 192), (251.5, 256), (1007.3, 1024),
])  # fmt: skip
def test_memory_is_said_as_it_is_sold(gib, said):
    assert machine.installed(int(gib * GIB)) == said


# --- systems that keep it -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [PermissionError, FileNotFoundError, NotImplementedError, psutil.AccessDenied, RuntimeError,
     UnicodeDecodeError("utf-8", b"?", 0, 1, "no"), IndexError],
)  # fmt: skip
def test_a_system_that_says_nothing_is_known_by_its_architecture(monkeypatch, error):
    def refuses(*_, **__):
        raise error

    for question in ("cpu_count", "virtual_memory"):
        monkeypatch.setattr(psutil, question, refuses)
    monkeypatch.setattr("zipnet.cpu.Path.read_text", refuses)
    monkeypatch.setattr("zipnet.cpu._output", lambda *_: "")
    monkeypatch.setattr("zipnet.cpu.os.cpu_count", lambda: None)
    monkeypatch.setattr("zipnet.cpu.platform.processor", refuses)
    monkeypatch.setattr("zipnet.cpu.platform.machine", lambda: "x86_64")
    monkeypatch.setitem(sys.modules, "llvmlite", None)
    about = machine.identity()
    assert about.cpu == Cpu(model="x86_64", arch="x86_64")
    assert about.memory_gib is None
    assert re.fullmatch(r"x86-64-[0-9a-f]{6}", about.name)
    msgspec.json.decode(msgspec.json.encode(about), type=Machine)  # as our own reader


@pytest.mark.parametrize(
    ("hidden", "words"),
    [
        ("/proc/cpuinfo", ["zipnet", "engines", "eager", "xla"]),
        ("/proc/stat", ["bench", "machine", "--json"]),
        ("/proc", ["bench", "machine", "--json"]),
    ],
)
def test_commands_work_where_the_system_hides_its_files(hidden, words):
    """In a mount namespace of their own, in which a file is empty, or /proc a bare folder."""
    over = "-t tmpfs none" if hidden == "/proc" else "--bind /dev/null"
    inside = f'mount {over} {hidden} && exec "$@"'
    within = ["unshare", "--mount", "--map-root-user", "sh", "-c", inside, "sh"]
    if shutil.which("unshare") is None or subprocess.run([*within, "true"]).returncode:
        pytest.skip("unshare cannot mount here")
    done = subprocess.run([*within, *command(*words)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    if "--json" in words:
        msgspec.json.decode(done.stdout, type=Machine)  # as our own reader


def test_llvm_is_asked_and_not_needed(monkeypatch):
    said = {"avx2": True, "avx512bf16": True, "sse4.2": True, "amx-tile": True, "neon": False}
    binding = SimpleNamespace(
        get_host_cpu_name=lambda: "sapphirerapids", get_host_cpu_features=lambda: said
    )
    monkeypatch.setitem(sys.modules, "llvmlite", SimpleNamespace(binding=binding))
    known = {"avx2", "avx512_bf16", "sse4_2", "amx_tile"}
    assert machine._by_llvm() == ("sapphirerapids", known)
    binding.get_host_cpu_name = lambda: "generic"
    del binding.get_host_cpu_features
    assert machine._by_llvm() == (None, set())


def test_a_gpu_that_fails_when_it_is_asked_still_counts(monkeypatch):
    def describe(device):
        if device.index:
            raise RuntimeError("lost")
        return "NVIDIA H100"

    monkeypatch.setattr("zipnet.devices.here", lambda: ["cpu", "cuda"])
    monkeypatch.setattr("zipnet.devices.count", lambda kind: 2)
    monkeypatch.setattr("zipnet.devices.describe", describe)
    assert machine.identity().gpus == ["NVIDIA H100", "cuda"]


def test_limits_are_those_of_mask_and_quota(monkeypatch):
    monkeypatch.setattr("zipnet.cpu.affinity", lambda: 16)
    monkeypatch.setattr("zipnet.cpu.quota", lambda: 1.5)
    assert machine.limits() == Limits(cores=2, affinity=16, quota=1.5)


# --- commit and software --------------------------------------------------------------------------


def test_commit_says_which_and_whether_dirty_and_nothing_else():
    assert set(commit().__struct_fields__) == {"id", "dirty"}


def committed(folder):
    person = ("-c", "user.name=x", "-c", "user.email=x@localhost")
    for words in (["init", "-q"], ["add", "."], [*person, "commit", "-qm", str(folder)]):
        subprocess.run(["git", "-C", str(folder), *words], check=True)


def project(folder):
    """A repository that holds zipnet."""
    (folder / "zipnet").mkdir(parents=True)
    (folder / "zipnet" / "__init__.py").write_text("")
    committed(folder)
    return folder


def commit_of(folder):
    asked = ["git", "-C", str(folder), "rev-parse", "HEAD"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()


def test_what_a_run_itself_writes_is_no_difference_from_the_commit(tmp_path):
    for name in ("zipnet/__init__.py", "zipnet/net.py", "results/m/1.json", "reports/README.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("as committed")
    committed(tmp_path)
    (tmp_path / "reports/README.md").write_text("drawn again")
    (tmp_path / "results/m/1.json").write_text("measured again")
    assert commit(tmp_path).dirty is False
    (tmp_path / "zipnet/net.py").write_text("changed")
    assert commit(tmp_path).dirty is True


@pytest.mark.parametrize(("name", "dirty"), [
    ("zipnet/fast.py", True), ("new/deep/x.py", True), ("tox.ini", True), ("notes.md", False),
    ("results/x.py", False), (".venv/lib/x.txt", False),
])  # fmt: skip
def test_source_that_nobody_added_is_a_difference(tmp_path, name, dirty):
    home = project(tmp_path)
    (home / name).parent.mkdir(parents=True, exist_ok=True)
    (home / name).write_text("")
    assert commit(home).dirty is dirty


def test_a_stranger_s_commit_is_never_taken_for_ours(tmp_path, monkeypatch):
    """Neither that of the folder we measure from, nor that of one zipnet was copied into."""
    stranger, home = tmp_path / "stranger", project(tmp_path / "ours")
    stranger.mkdir()
    (stranger / "x.py").write_text("")
    committed(stranger)
    monkeypatch.chdir(stranger)
    ours = commit(home)
    assert ours.id != commit_of(stranger)
    monkeypatch.setenv("GIT_DIR", str(stranger / ".git"))  # as it is set while git runs a hook
    assert commit(home) == ours
    monkeypatch.delenv("GIT_DIR")
    for copied in ("zipnet", "lib/zipnet"):
        (stranger / copied).mkdir(parents=True)
        (stranger / copied / "__init__.py").write_text("")
        assert commit((stranger / copied).parent) == Commit()
    subprocess.run(["git", "-C", str(stranger), "add", "lib"], check=True)
    assert commit(stranger / "lib") == Commit()


def test_commit_is_none_where_there_is_no_repository(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert commit(tmp_path) == Commit()


def test_software_has_the_versions_that_numbers_depend_on():
    assert {"python", "numpy", "torch"} <= set(machine.software())


def test_machine_command_prints_it():
    result = run("bench", "machine", "--json")
    assert json.loads(result.stdout) == msgspec.to_builtins(machine.identity())
