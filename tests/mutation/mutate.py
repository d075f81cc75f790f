#!/usr/bin/env python3
"""Changes the code, one small change at a time, and asks whether a test notices.

    python3 tests/mutation/mutate.py --count 220 --seed 1             all of details.txt, then 220 generated mutants
    python3 tests/mutation/mutate.py --count 220 --resume             goes on from result.tsv; asks survivors again
    python3 tests/mutation/mutate.py --sample 20 --out FILE           20 of those once killed, verdicts in FILE

A mutant is killed by a failing test or one that takes too long, or it survives. Those that do not compile or give the
same machine code are no mutants and are not counted. A survivor must stand in equivalent.tsv with the reason why no
test can see it; one that does not makes the exit code 1. See README.md.
"""

import argparse
import collections
import csv
import os
import re
import shutil
import sys
import tempfile

sys.dont_write_bytecode = True  # the sources stay as they are

import bench
import mutants

HERE = os.path.dirname(os.path.abspath(__file__))
RESULT_TABLE = os.path.join(HERE, "result.tsv")
EQUIVALENT_TABLE = os.path.join(HERE, "equivalent.tsv")
SOURCE = os.path.dirname(os.path.dirname(HERE))
COLUMNS = ("place", "kind", "was", "becomes", "verdict", "by")
KILLED, TIMEOUT, SURVIVED, QUICK, EQUIVALENT = "killed", "timeout", "survived", "survived quick", "equivalent"


def file_of(row):
    return row["place"].rsplit(":", 1)[0]


def key_of(row):
    return file_of(row), row["kind"], row["was"], row["becomes"]


def read_table(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def write_table(path, rows):
    with open(path + ".tmp", "w", encoding="utf-8") as file:
        file.write("\t".join(COLUMNS) + "\n")
        for row in rows:
            file.write("\t".join(row[column] for column in COLUMNS) + "\n")
    os.replace(path + ".tmp", path)


def documented_tests(tree):
    """For each tag of docs/details.md the programs that hold its tests."""
    holds, found = {}, {}
    for folder, _, files in os.walk(os.path.join(tree, "tests")):
        for file in files:
            if file.startswith("test_") and file.endswith(".c"):
                with open(os.path.join(folder, file), encoding="utf-8") as text:
                    for name in re.findall(r"^static void (test_\w+)\(void \*\*", text.read(), re.MULTILINE):
                        holds.setdefault(name, []).append(file[:-2])
    with open(os.path.join(tree, "docs", "details.md"), encoding="utf-8") as lines:
        for line in lines:
            cells = line.split("|")
            if line.startswith("| `"):
                names = re.findall(r"`(\w+)`", cells[6])
                found[cells[1].strip(" `")] = [program for name in names for program in holds.get(name, [])]
    return found


def related(file, name):
    """How much of a file's name stands in a test's: names go with each other in this tree."""
    words = re.split(r"[_/.]", os.path.splitext(os.path.basename(file))[0])
    return sum(word in name.split("_") for word in words) / len(words)


class Pass:
    """Mutants, one after the other, and their verdicts in a table that is written after each."""

    def __init__(self, options, desk, sources):
        self.options, self.desk = options, desk
        self.documented = documented_tests(desk.tree)
        # what the code no longer says is forgotten
        kept = read_table(options.out) if options.resume else []
        self.rows = {key_of(row): row for row in kept if holds(sources, row)}
        self.reasons = {key_of(row): row["reason"] for row in read_table(EQUIVALENT_TABLE)}
        self.kills = collections.Counter()

    def order(self, mutant):
        """Tests by promise: those documented for the detail, those named after the file, then the quick ones, where
        a test that killed others in this folder counts as quicker."""
        first = self.documented.get(mutant.kind, [])
        folder = os.path.dirname(mutant.file)

        def promise(test):
            kills = self.kills[folder, test.name]
            return (test.name not in first, -related(mutant.file, test.name) if test.seconds < 6 else 0,
                    test.seconds / (1 + kills))

        tests = sorted((test for test in self.desk.tests.values()
                        if mutant.file.startswith(bench.SCRIPTS.get(test.name, ("",)))), key=promise)
        if self.options.quick:
            tests = [test for test in tests
                     if test.seconds < self.options.quick or test.name in first or not test.program
                     or related(mutant.file, test.name) >= 0.5 and test.seconds < 6]
        return [test.name for test in tests]

    def judge(self, mutant, source):
        """(verdict, by), or None for what is no mutant."""
        refused = self.desk.prepare(mutant.file, mutant.apply(source))
        if refused:
            if mutant.listed:
                raise SystemExit(f"details.txt: {mutant.kind}, {mutant.becomes}: {refused}")
            return None
        killer, seen = self.desk.try_tests(self.order(mutant))
        if killer is None:
            return QUICK if self.options.quick else SURVIVED, f"{seen} programs"
        self.kills[os.path.dirname(mutant.file), killer[0]] += 1
        return TIMEOUT if killer[1] == "timeout" else KILLED, ": ".join(killer)

    def settled(self, mutant):
        row = self.rows.get(mutant.key)
        if row is None or row["verdict"] in (KILLED, TIMEOUT):
            return row is not None
        if self.options.again:
            return False
        if mutant.key in self.reasons:
            row["verdict"] = EQUIVALENT
        return row["verdict"] == EQUIVALENT or row["verdict"] == QUICK and bool(self.options.quick)

    def add(self, mutant, source):
        """True if it counts."""
        if self.settled(mutant):
            self.rows[mutant.key]["place"] = f"{mutant.file}:{mutant.line}"
            return True
        judged = self.judge(mutant, source)
        if judged is None:
            return False
        verdict, by = judged
        if verdict in (SURVIVED, QUICK) and mutant.key in self.reasons:
            verdict = EQUIVALENT
        cells = (f"{mutant.file}:{mutant.line}", mutant.kind, mutant.was, mutant.becomes, verdict, by)
        self.rows[mutant.key] = dict(zip(COLUMNS, cells))
        write_table(self.options.out, self.rows.values())
        print(bench.clock(), verdict, *cells[:2], f"{by}: {mutant.was} => {mutant.becomes}", flush=True)
        return True

    def summary(self):
        """Totals a folder; the number of survivors without a reason."""
        table = collections.defaultdict(collections.Counter)
        for row in self.rows.values():
            table[mutants.layer(file_of(row))][row["verdict"]] += 1
        total = sum(table.values(), collections.Counter())
        print(f"{'folder':10} {'mutants':>8} {'killed':>8} {'timeout':>8} {'equivalent':>11} {'survived':>9}")
        for name, counts in sorted(table.items()) + [("all", total)]:
            alive = counts[SURVIVED] + counts[QUICK]
            print(f"{name:10} {sum(counts.values()):8} {counts[KILLED]:8} {counts[TIMEOUT]:8} {counts[EQUIVALENT]:11} "
                  f"{alive:9}")
        return total[SURVIVED] + total[QUICK]


def parse():
    parser = argparse.ArgumentParser(description="Mutation testing; see README.md.")
    parser.add_argument("--count", type=int, default=220, help="generated mutants (220)")
    parser.add_argument("--sample", type=int, default=0, help="so many of those that result.tsv calls killed, only")
    parser.add_argument("--seed", type=int, default=1, help="which ones (1)")
    parser.add_argument("--only", default="", help="only files whose path begins so; --count is theirs then")
    parser.add_argument("--resume", action="store_true", help="keep the verdicts of --out, ask again about survivors")
    parser.add_argument("--again", action="store_true", help="with --resume: about equivalent ones too")
    parser.add_argument("--quick", type=float, default=0, help="only tests that take less than so many CPU seconds")
    parser.add_argument("--tree", default=SOURCE, help="the sources to change (those this script lies in)")
    parser.add_argument("--work", default="", help="folder to build in and keep (a temporary one)")
    parser.add_argument("--out", default=RESULT_TABLE, help="table of verdicts (result.tsv)")
    return parser.parse_args()


def check_tags(listed, documented):
    """Every documented detail has a mutant."""
    missing = sorted(set(documented) - {mutant.kind for mutant in listed})
    if missing:
        raise SystemExit(f"details.txt: found no mutant of {', '.join(missing)}, expected one of each detail")


def holds(sources, row):
    return row["was"] in mutants.squeeze(sources.get(file_of(row), ""))


def check_reasons(path, sources):
    """The table of equivalent mutants follows the code as details.txt does."""
    for row in read_table(path):
        if not holds(sources, row):
            raise SystemExit(f"{path}: {file_of(row)}: found no '{row['was']}', expected it in the file")


def sample(options, listed, code):
    """Some of the mutants that were killed and that the code still has."""
    killed = {key_of(row) for row in read_table(RESULT_TABLE) if row["verdict"] in (KILLED, TIMEOUT)}
    there = listed + [mutant for file, text in code.items() for mutant in mutants.candidates(file, text)]
    chosen = sorted((mutant for mutant in there if mutant.key in killed), key=lambda m: mutants.rank(options.seed, m))
    return [[mutant] for mutant in chosen[:options.sample]]


def run(options, work):
    desk = bench.Bench(os.path.abspath(options.tree), work)
    sources = desk.sources()
    every = Pass(options, desk, sources)
    listed = mutants.read_list(os.path.join(HERE, "details.txt"), sources)
    check_tags(listed, every.documented)
    check_reasons(EQUIVALENT_TABLE, sources)
    code = {file: text for file, text in sources.items()
            if file.startswith(options.only) and not file.endswith(".h") and not file.startswith(mutants.LEFT_OUT)}
    listed = [mutant for mutant in listed if mutant.file.startswith(options.only)]
    if options.sample:
        groups = sample(options, listed, code)
    else:
        groups = [[mutant] for mutant in listed] + list(mutants.choose(code, options.count, options.seed))
    for group in groups:
        any(every.add(mutant, sources[mutant.file]) for mutant in group)
    write_table(options.out, sorted(every.rows.values(), key=lambda row: (file_of(row), row["place"])))
    return 1 if every.summary() else 0


def main():
    options = parse()
    if options.work:
        return run(options, os.path.abspath(options.work))
    work = tempfile.mkdtemp(prefix="mutation.")
    try:
        return run(options, work)
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
