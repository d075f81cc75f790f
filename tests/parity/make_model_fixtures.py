#!/usr/bin/env python3
"""Writes fixtures/models.txt: the compiled arrays of Gymnasium's models, for test_models.c.

Needs gymnasium[mujoco] of the versions below and is not part of the tests: they read its output.
The text is one line an array: name, number of elements, elements; "x*7" is x seven times. A decimal
has the digits that bring its double back to the bit. Arrays without elements, sizes of zero and the
arrays that OWN names (test_models.c lists them with the reasons) have no line.

usage: make_model_fixtures.py [output]
"""

import itertools
import math
import os
import sys

import gymnasium
import mujoco
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
ASSETS = os.path.join(os.path.dirname(gymnasium.__file__), "envs", "mujoco", "assets")

# model here: model there, as the *_v5.py of the task loads it
MODELS = {
    "ant.xml": "ant.xml",
    "half_cheetah.xml": "half_cheetah.xml",
    "hopper.xml": "hopper.xml",
    "humanoid.xml": "humanoid.xml",
    "humanoid_standup.xml": "humanoidstandup.xml",
    "inverted_double_pendulum.xml": "inverted_double_pendulum.xml",
    "inverted_pendulum.xml": "inverted_pendulum.xml",
    "pusher.xml": "pusher_v5.xml",
    "reacher.xml": "reacher.xml",
    "swimmer.xml": "swimmer.xml",
    "walker2d.xml": "walker2d_v5.xml",
}

# what a model of our own is free to choose: names, looks, keyframes, custom numbers
OWN = ("name", "paths", "cam_", "light_", "mat_", "tex_", "key_", "numeric_")
OWN_ARRAYS = {"geom_rgba", "geom_matid", "geom_user"}
OWN_SIZES = {
    "nnames", "nnames_map", "ncam", "nlight", "nmat", "ntex", "ntexdata", "nkey", "nnumeric",
    "nnumericdata", "nuser_geom", "narena", "nbuffer", "signature",
}  # fmt: skip


def is_own(name):
    return name.startswith(OWN) or name in OWN_ARRAYS or name in OWN_SIZES


def fields(model):
    """Yields (name, values) of sizes, arrays, options and statistics."""
    for name in dir(model):
        if name.startswith("_") or is_own(name):
            continue
        value = getattr(model, name)
        if isinstance(value, (int, np.ndarray)) and not isinstance(value, bool):
            yield name, np.ravel(value)
    for prefix, struct in (("opt", model.opt), ("stat", model.stat)):
        for name in dir(struct):
            value = getattr(struct, name)
            if not name.startswith("_") and not callable(value):
                yield f"{prefix}.{name}", np.ravel(value)


def text(value):
    """The shortest decimal that reads back as the same double; -0 keeps its sign."""
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("the fixture has no room for NaN or infinity")
    if number == int(number) and abs(number) < 1e15:
        return "-0" if math.copysign(1, number) < 0 and number == 0 else str(int(number))
    return repr(number)


def run_lengths(values):
    for word, run in itertools.groupby(text(v) for v in values):
        count = len(list(run))
        yield word if count == 1 else f"{word}*{count}"


def main():
    default = os.path.join(HERE, "fixtures", "models.txt")
    with open(sys.argv[1] if len(sys.argv) > 1 else default, "w") as out:
        print("# compiled arrays of Gymnasium's models, by make_model_fixtures.py", file=out)
        print(f"# gymnasium {gymnasium.__version__}, mujoco {mujoco.__version__}", file=out)
        print(f"mujoco {mujoco.mj_version()}", file=out)
        for ours, theirs in MODELS.items():
            model = mujoco.MjModel.from_xml_path(os.path.join(ASSETS, theirs))
            print(f"\nmodel {ours}", file=out)
            for name, values in fields(model):
                is_size = np.size(values) == 1 and name.startswith("n") and values[0] == 0
                if len(values) > 0 and not is_size:
                    print(name, len(values), *run_lengths(values), file=out)


if __name__ == "__main__":
    main()
