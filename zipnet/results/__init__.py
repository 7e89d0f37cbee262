"""What result files say, as tables of pandas: for notebooks, without torch and without pytest.

    from zipnet import results

    runs = results.read("results")
    runs.rows[runs.rows.sound].groupby(["machine", "question"]).value.median()
    results.compare(runs, "machine-a", "machine-b")
    runs.rows.to_parquet("rows.parquet")

`runs.files`, a line a file (str unless said otherwise)
    source: folder and file. machine, cpu, cpu_design, cpu_core, cpu_extensions, cpu_core_kinds,
    physical_cores, logical_cores, arch, memory_gib (float64, GiB), gpus, system: what it was; where
    files call different machines alike, `machine` says what tells them apart. limits_cores,
    limits_affinity, limits_quota (float64): how much of it the run might use. clock_tick (float64,
    seconds): the least that its clock tells apart. schema, written (ISO 8601), commit, dirty
    (float64, 1 for yes), status, scope, profile, options_*: what was asked for. dataset,
    dataset_sha256, workload (its hash), software, environment: variables that were set and change
    speeds. before_* and after_*: readings of its state. rows, sound_rows (int64). findings: what is
    wrong with the file as a whole, "" for nothing. newest (bool): it stands for its machine. Any
    other field of a file's head has its name and its words in results/README.md.
`runs.rows`, a line a row (category for text, float64 for numbers, NaN where there is none)
    source, machine, memory_gib, written, status, profile, newest (bool): its file's. file (int64):
    its line there.
    fullname, question, kind (of question; NaN: unknown), engine, device, device_name, dtype,
    threads, batch, width, steps, presentations, macs, bytes, replicas, seed, passes, dataset,
    dataset_sha256: who did what in one round. verified_*, phases_*, train_*, test_*, warnings,
    replica_misses, most_passes, lr, lr_found, levels (a list of dicts), world, hosts, ranks_a_host,
    backend, meter, idle_watts: as in results/README.md.
    trained_name: the recipe, where its file says.
    value, low, high: median of one round and its 95% interval, in unit ("s", "B", "J"). rounds.
    per, works: what rows are compared by is value / works, of a presentation, MAC, byte or round.
    us_per_presentation (microseconds), presentations_per_second, macs_per_second, bytes_per_second.
    peak_macs_per_second, share_of_peak: the device's best round in the same run, and the share.
    training_seconds, training_low, training_high, training_kind, times_sun: the 167,693
    presentations of 1989, where the row says how long they take, measured or projected.
    quality: what speaks against it. forbidden: why no verdict may rest on it (str). disturbed
    (bool): something else was at work. retaken: laps that were taken again for it.
    fingerprint (uint64).
    sound (bool), invalid: why it cannot be right; an invalid row carries no numbers.
`runs.timings`, a line a round, read on demand
    source, fullname, lap, round (int64, from 1), value (float64) in unit.
`runs.trainings`, a line a training of the files that say what was learned, read on demand
    source, machine, question, recipe, start, dataset, engine, seed (int64), seconds (float64);
    train_misses, train_loss, train_error, train_half_mse, train_rejected and test_*: its scores.
`runs.absent` (source, engine, device, question, reason), `runs.refused` (reason)
    What was not measured, and what could not be read.
"""

from __future__ import annotations

from zipnet.results.collect import read
from zipnet.results.runs import Run, Runs
from zipnet.results.verdict import compare, noise

__all__ = ["Run", "Runs", "compare", "noise", "read"]
