"""A run's event files as TensorBoard itself reads them, held against the other files of the run.

    read_events.py check RUN             every number against metrics.csv, the configuration against config.ini
    read_events.py same RUN OTHER        what does not hang on the clock is the same in both
    read_events.py watch RUN COMMAND...  a reader that looked on before, while and after COMMAND sees what a new one sees
"""

import csv
import math
import re
import subprocess
import sys
from pathlib import Path

from tensorboard.backend.event_processing import plugin_event_accumulator
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2

FIXED = {
    "seconds": "time/time_elapsed",
    "steps_per_second": "time/fps",
    "episode_return_mean": "rollout/ep_rew_mean",
    "episode_length_mean": "rollout/ep_len_mean",
}
ALL = {"scalars": 0, "histograms": 0, "tensors": 0}


def expect(condition, *words):
    if not condition:
        sys.exit(" ".join(str(word) for word in words))


def read(run):
    events = EventAccumulator(str(run), size_guidance=ALL)
    events.Reload()
    return events


def is_near(found, cell):
    """A number of four bytes is one of eight bytes as a cell has it, with nine digits: both are rounded."""
    return abs(found - cell) <= 2**-23 * abs(cell)


def scalars(events, tag):
    return [(e.step, e.value) for e in events.Scalars(tag)]


def histograms(events, tag):
    return [(e.step, e.histogram_value) for e in events.Histograms(tag)]


# ---------------------------------------------------------------- check


def check_column(events, rows, column, tags):
    tag = FIXED.get(column)
    if tag is None:
        found = [t for t in tags if t.split("/", 1)[1] == column]
        expect(len(found) == 1, column, "is shown under", found)
        tag = found[0]
        expect(tag.startswith("time/" if column.endswith("_share") else "train/"), tag)
    cells = [(int(row["step"]), float(row[column])) for row in rows if row[column]]
    values = scalars(events, tag)
    expect(len(values) == len(cells), tag, "has", len(values), "values, expected", len(cells))
    for value, cell in zip(values, cells):
        expect(value[0] == cell[0] and is_near(value[1], cell[1]), tag, "is", value, "but", column, cell)
    tags.remove(tag)
    return len(cells)


def check_evaluations(events, rows, tags):
    """A row repeats the last evaluation; the event is at its own step."""
    found = scalars(events, "eval/mean_reward")
    expect(found, "found no evaluation")
    for row in rows:
        if row["eval_return_mean"]:
            before = [value for step, value in found if step <= int(row["step"])]
            expect(before and is_near(before[-1], float(row["eval_return_mean"])), "evaluation of", row)
    tags.remove("eval/mean_reward")
    tags.remove("eval/mean_ep_length")


def check_histograms(events, run):
    steps = sorted(int(path.stem) for path in run.glob("checkpoints/*.h5"))
    best = int((run / "best.h5").resolve().stem)
    tags = events.Tags()["histograms"]
    for tag in tags:
        found = events.Histograms(tag)
        # a checkpoint that only an evaluation asked for has none
        missing = set(steps) - {e.step for e in found} - {best}
        expect(len(found) > 1 and len(found) == len({e.step for e in found}), tag, found)
        expect({e.step for e in found} <= set(steps), tag, "has other steps than", steps)
        expect(len(missing) < len(steps) / 2, tag, "lacks", missing)
        for e in found:
            h = e.histogram_value
            expect(sum(h.bucket) == h.num > 0 and len(h.bucket) == len(h.bucket_limit), tag, h)
            expect(h.min < h.max == h.bucket_limit[-1], tag, h)
            expect(h.min * h.num <= h.sum + 1e-6 * h.num and h.sum <= h.max * h.num + 1e-6 * h.num, tag, h)
            expect(sorted(h.bucket_limit) == list(h.bucket_limit) and h.sum_squares >= 0, tag, h)
    for layer in range(3):
        for part in ("weight", "bias"):
            expect(f"actor/{layer}/{part}" in tags, "no histogram of", layer, part)
    expect("actions/0" in tags, "no histogram of actions")
    return len(tags)


def read_config(run):
    section, config = "", {}
    for line in (run / "config.ini").read_text().splitlines():
        if line.startswith("["):
            section = line[1:-1]
        elif line:
            key, value = line.split(" = ", 1)
            config[f"{section}.{key}"] = value
    return config


def check_config(events, run):
    text = [e.tensor_proto.string_val[0].decode() for e in events.Tensors("config")]
    lines = (run / "config.ini").read_text().splitlines()
    expect([line[4:] for line in text[-1].splitlines()] == lines, "another text than config.ini:", text[-1])
    expect(all(line.startswith("    ") for line in text[-1].splitlines()), "not as it stands")
    tag = "_hparams_/session_start_info"
    content = events.SummaryMetadata(tag).plugin_data.content
    data = plugin_data_pb2.HParamsPluginData.FromString(content)
    expect(data.version == 0 and data.WhichOneof("data") == "session_start_info", data)
    config = read_config(run)
    hparams = data.session_start_info.hparams
    expect(set(hparams) == set(config), "other keys:", set(hparams) ^ set(config))
    for key, value in hparams.items():
        kind = value.WhichOneof("kind")
        # --resume may have changed it; hyper-parameters are those the run began with
        if key == "run.threads":
            continue
        if kind == "number_value":
            expect(math.isfinite(value.number_value), key)
            expect(value.number_value == float(config[key]), key, value)
        elif kind == "bool_value":
            expect(str(value.bool_value).lower() == config[key], key, value)
        else:
            expect(value.string_value == config[key], key, value)
    expect({hparams[k].WhichOneof("kind") for k in ("run.seed", "normalize.clip_obs", "run.tensorboard")}
           == {"number_value", "string_value", "bool_value"}, "kinds of values")
    return len(config)


def check(run):
    events = read(run)
    files = sorted(path.name for path in run.glob("*tfevents*"))
    expect(files, "found no event file")
    for name in files:
        expect(re.fullmatch(r"events\.out\.tfevents\.\d{10}\.rltrain", name), name)
    with open(run / "metrics.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    tags = events.Tags()["scalars"]
    check_evaluations(events, rows, tags)
    cells = sum(check_column(events, rows, column, tags) for column in rows[0]
                if column not in ("step", "eval_return_mean"))
    expect(not tags, "of no column:", tags)
    print(f"{run.name}: {cells} numbers as in metrics.csv, {check_histograms(events, run)} histograms, "
          f"{check_config(events, run)} keys, {len(files)} files")


# ---------------------------------------------------------------- same, watch


def compare(a, b, timed):
    for kind in ("scalars", "histograms"):
        expect(set(a.Tags()[kind]) == set(b.Tags()[kind]), kind, "of other names")
    for tag in a.Tags()["scalars"]:
        if timed or not tag.startswith("time/"):
            for x, y in zip(scalars(a, tag), scalars(b, tag)):
                expect(x == y, tag, "is", x, "and", y)
            expect(len(scalars(a, tag)) == len(scalars(b, tag)), tag, "is of other lengths")
    for tag in a.Tags()["histograms"]:
        expect(histograms(a, tag) == histograms(b, tag), tag, "differs")


def tensors(events):
    """All values of the reader behind TensorBoard's server, which knows nothing but tensors."""
    return {tag: [(e.step, e.tensor_proto.SerializeToString()) for e in events.Tensors(tag)]
            for tag in events.Tags()["tensors"]}


def last_step(events):
    return max(step for values in tensors(events).values() for step, _ in values)


def watch(run, command):
    def server():
        return plugin_event_accumulator.EventAccumulator(
            str(run), size_guidance={"tensors": 0}, tensor_size_guidance={
                plugin: 0 for plugin in ("scalars", "histograms", "text", "hparams")})

    old, behind = EventAccumulator(str(run), size_guidance=ALL), server()
    old.Reload()
    behind.Reload()
    seen = last_step(behind)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    expect(done.returncode == 0, command, "ended with", done.returncode, done.stdout)
    old.Reload()
    behind.Reload()
    new = server()
    new.Reload()
    compare(old, read(run), timed=True)
    expect(tensors(behind) == tensors(new), "who looked on sees other values")
    print(f"{run.name}: who looked on at step {seen} sees what a new reader sees at step {last_step(new)}")


if __name__ == "__main__":
    run = Path(sys.argv[2])
    if sys.argv[1] == "check":
        check(run)
    elif sys.argv[1] == "same":
        compare(read(run), read(sys.argv[3]), timed=False)
    else:
        watch(run, sys.argv[3:])
