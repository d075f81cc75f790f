"""Where mutants are tried: a copy of the tree, built once at -O1. A mutant is compiled from an overlay folder and put
into copies of the libraries it belongs to; tests are linked anew against those, one at a time. Copy and build are
never changed, so nothing has to be put back.
"""

import collections
import filecmp
import hashlib
import json
import os
import re
import resource
import shlex
import shutil
import signal
import subprocess
import time

COPIED = ("CMakeLists.txt", "cmake", "configs", "docs", "envs", "nets", "rl", "tests")
SOURCES = (".c", ".cpp", ".inc", ".h")
# of a test under a mutant; a test's own CPU time counts too
CPU_SECONDS, BASELINE_SECONDS, WALL_SECONDS = 5, 600, 60
DATA_BYTES, FILE_BYTES = 4 << 30, 1 << 28

LABELS = {"unit", "grad", "parity"}
DOUBLE = "rl_double"  # the library of what the gradient tests link

# scripts asked about what programs run, by how the file's path begins
SCRIPTS = {"test_bad_input": ("rl/cli/",), "test_report": ("rl/report/",),
           "test_video": ("rl/view/encoder", "rl/view/video"),
           "test_view_server": ("rl/view/http", "rl/view/server", "rl/view/socket")}

# program: the test itself; None for a script, which runs the programs in RL_BIN
Test = collections.namedtuple("Test", "name command program environment seconds members")


def run(command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                          check=False, **options)


def must(command, **options):
    done = run(command, **options)
    if done.returncode:
        raise SystemExit(f"{shlex.join(command)}\n{done.stdout[-3000:]}")
    return done.stdout


class Bench:
    def __init__(self, source, work):
        self.source, self.work = source, work
        self.tree, self.build = os.path.join(work, "tree"), os.path.join(work, "build")
        self.mutant, self.overlay = os.path.join(work, "mutant"), os.path.join(work, "overlay")
        self.tmp, self.folder = os.path.join(work, "tmp"), os.path.join(self.mutant, "bin")
        self.copy()
        self.configure()
        self.read_commands()
        self.read_tests()
        self.check_unchanged()

    # ------------------------------------------------------------ the copy and its build

    def copy(self):
        for folder, _, files in os.walk(self.tree):
            for file in files:
                path = os.path.join(folder, file)
                if not os.path.exists(os.path.join(self.source, os.path.relpath(path, self.tree))):
                    os.remove(path)
        for name in COPIED:
            source, target = os.path.join(self.source, name), os.path.join(self.tree, name)
            if os.path.isfile(source):
                self.copy_file(source, target)
            for folder, _, files in os.walk(source):
                for file in files:
                    path = os.path.join(folder, file)
                    self.copy_file(path, os.path.join(self.tree, os.path.relpath(path, self.source)))

    @staticmethod
    def copy_file(source, target):
        """An unchanged file keeps its time, so that a second run builds only what has changed."""
        if not os.path.exists(target) or not filecmp.cmp(source, target, shallow=False):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copyfile(source, target)

    def configure(self):
        mujoco = os.environ.get("MUJOCO_DIR") or os.path.join(self.source, ".deps", "mujoco-4.0.0")
        linker = "-fuse-ld=gold" if shutil.which("ld.gold") else ""
        must(["cmake", "-S", self.tree, "-B", self.build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug",
              "-DCMAKE_C_FLAGS_DEBUG=-O1 -w", "-DCMAKE_CXX_FLAGS_DEBUG=-O1 -w", "-DRL_TESTS=ON",
              f"-DCMAKE_EXE_LINKER_FLAGS={linker}", f"-DMUJOCO_DIR={mujoco}"])
        print("building", flush=True)
        must(["ninja", "-C", self.build, "-j1"])

    def read_commands(self):
        """How each object is compiled and each program linked, and what each object is made from."""
        with open(os.path.join(self.build, "compile_commands.json"), encoding="utf-8") as file:
            entries = json.load(file)
        self.compile = {}
        for entry in entries:
            words = shlex.split(entry["command"])
            self.compile[words[words.index("-o") + 1]] = words
        self.made_from, current = collections.defaultdict(set), None
        for line in must(["ninja", "-C", self.build, "-t", "deps"]).splitlines():
            if line.startswith("    ") and line.strip().startswith(self.tree):
                self.made_from[os.path.relpath(line.strip(), self.tree)].add(current)
            elif line and not line.startswith(" "):
                current = line.split(":")[0]
        self.link = {}
        for program in os.listdir(os.path.join(self.build, "bin")):
            command = must(["ninja", "-C", self.build, "-t", "commands", f"bin/{program}"]).splitlines()[-1]
            self.link[program] = shlex.split(command.removeprefix(": && ").removesuffix(" && :"))

    def sources(self):
        found = {}
        for top in ("rl", "nets", "envs"):
            for folder, _, files in os.walk(os.path.join(self.tree, top)):
                for file in files:
                    if file.endswith(SOURCES):
                        path = os.path.join(folder, file)
                        with open(path, encoding="utf-8") as text:
                            found[os.path.relpath(path, self.tree)] = text.read()
        return found

    # ------------------------------------------------------------ tests

    def read_tests(self):
        """The programs among the tests, the CPU time each takes and the library members in it: found out once and
        kept beside the build."""
        listed = json.loads(must(["ctest", "--test-dir", self.build, "--show-only=json-v1"]))
        path = os.path.join(self.work, "tests.json")
        known = {}
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                known = json.load(file)
        self.tests = {}
        for entry in listed["tests"]:
            properties = {p["name"]: p["value"] for p in entry["properties"]}
            if not LABELS.isdisjoint(properties.get("LABELS", [])) or entry["name"] in SCRIPTS:
                self.read_test(entry, properties, known)
                with open(path, "w", encoding="utf-8") as file:
                    json.dump(known, file, indent=1)

    def read_test(self, entry, properties, known):
        command, name = entry["command"], entry["name"]
        program = None if name in SCRIPTS else os.path.basename(command[0])
        environment = dict(pair.split("=", 1) for pair in properties.get("ENVIRONMENT", []))
        test = Test(name, command, program, environment, 0, frozenset())
        with open(command[-1] if program is None else command[0], "rb") as file:
            stamp = hashlib.sha1(file.read()).hexdigest()
        if stamp not in known:
            failed, took = self.run_test(test, None, BASELINE_SECONDS)
            if failed:
                raise SystemExit(f"{name}: {failed} without any mutant")
            known[stamp] = took, sorted(self.members(program)) if program else []
        self.tests[name] = test._replace(seconds=known[stamp][0], members=frozenset(known[stamp][1]))

    def members(self, program):
        words = list(self.link[program])
        words[words.index("-o") + 1] = os.path.join(self.work, "linked")
        return re.findall(r"\b(\w+\.(?:c|cpp)\.o)\b", must(words + ["-Wl,-t"], cwd=self.build))

    def run_test(self, test, folder, cpu):
        """(what failed, or "" ; CPU seconds) of a test whose programs lie in a folder, None for the build's own. What
        it leaves behind goes with its folder."""
        command = list(test.command)
        if folder and test.program:
            command[0] = os.path.join(folder, test.program)
        environment = dict(os.environ, **test.environment, TMPDIR=self.tmp)
        if folder:
            environment["RL_BIN"] = folder
        shutil.rmtree(self.tmp, ignore_errors=True)
        os.makedirs(self.tmp)

        def limit():
            os.setsid()
            resource.setrlimit(resource.RLIMIT_CPU, (int(cpu) + 1, int(cpu) + 1))
            resource.setrlimit(resource.RLIMIT_DATA, (DATA_BYTES, DATA_BYTES))
            resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        process = subprocess.Popen(command, cwd=self.tree, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True, errors="replace", preexec_fn=limit,
                                   env=environment)
        try:
            output, _ = process.communicate(timeout=WALL_SECONDS + 10 * cpu)
        except subprocess.TimeoutExpired:
            output = None
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        took = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        if output is None or process.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
            return "timeout", took
        if process.returncode == 0:
            return "", took
        failed = re.search(r"\[  FAILED  \] (?:\S+: )?(\w+)", output)
        return failed.group(1) if failed else f"exit {process.returncode}", took

    # ------------------------------------------------------------ one mutant

    def compile_object(self, name, file):
        """Compiles an object with the overlay's version of a file; the new object's path, or None."""
        words = list(self.compile[name])
        target = os.path.join(self.mutant, name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        words[words.index("-o") + 1] = target
        at = words.index("-c") + 1
        if words[at] == os.path.join(self.tree, file):
            words[at] = os.path.join(self.overlay, file)
        words[1:1] = [f"-I{self.overlay}", f"-fmacro-prefix-map={self.overlay}/="]
        return target if run(words, cwd=self.build).returncode == 0 else None

    def prepare(self, file, text):
        """Builds what the new text of a file changes: "" if that worked, else why it is no mutant."""
        for folder in (self.mutant, self.overlay):
            shutil.rmtree(folder, ignore_errors=True)
        path = os.path.join(self.overlay, file)
        os.makedirs(os.path.dirname(path))
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        self.changed, self.later = {}, []
        names = sorted(self.made_from[file])
        # the gradient tests' own objects are compiled when one of those tests is reached
        self.later = [name for name in names if DOUBLE in name]
        if not self.take([name for name in names if name not in self.later], file):
            return "does not compile"
        if not self.changed and not self.take_later(file):
            return "does not compile"
        self.file = file
        return "" if self.changed else "same code"

    def take_later(self, file):
        names, self.later = self.later, []
        return self.take(names, file)

    def take(self, names, file):
        """Compiles objects and puts those that have changed into copies of their libraries; False if one fails."""
        libraries = collections.defaultdict(list)
        for name in names:
            made = self.compile_object(name, file)
            if made is None:
                return False
            if not filecmp.cmp(made, os.path.join(self.build, name), shallow=False):
                self.changed[name] = made
                libraries[self.library_of(name)].append(made)
        for library, objects in libraries.items():
            if library:
                target = os.path.join(self.mutant, library)
                os.makedirs(os.path.dirname(target), exist_ok=True)
                shutil.copyfile(os.path.join(self.build, library), target)
                must(["ar", "r", target] + objects)
                self.changed[library] = target
        return True

    def library_of(self, name):
        """The library that an object of CMake's goes into; None for a program's own."""
        folder, target = re.fullmatch(r"(.*)CMakeFiles/(\w+)\.dir/.*", name).groups()
        library = f"{folder}lib{target}.a" if target == DOUBLE else f"liblayer_{target}.a"
        return library if os.path.exists(os.path.join(self.build, library)) else None

    def relink(self, program, members):
        """Links a program with the mutant in it; False if that changes nothing in it."""
        if self.later and any(DOUBLE in word for word in self.link[program]) and not self.take_later(self.file):
            raise SystemExit(f"{self.file}: compiles in float, but not in double")
        if members is not None and not any(os.path.basename(name) in members for name in self.changed):
            return False
        words = [self.changed.get(word, word) for word in self.link[program]]
        if words == self.link[program]:
            return False
        target = os.path.join(self.folder, program)
        words[words.index("-o") + 1] = target
        must(words, cwd=self.build)
        return not filecmp.cmp(target, os.path.join(self.build, "bin", program), shallow=False)

    def relink_programs(self):
        """All that scripts run, in one folder; False if none has changed."""
        changed = False
        for program in self.link:
            if program.startswith(("rl", "serve")):
                changed |= self.relink(program, None)
                if not os.path.exists(os.path.join(self.folder, program)):
                    shutil.copy(os.path.join(self.build, "bin", program), self.folder)
        return changed

    def check_unchanged(self):
        """The whole way with a file as it is must give the bytes of the build."""
        path = os.path.join(self.tree, "rl", "data", "gae.c")
        with open(path, encoding="utf-8") as file:
            verdict = self.prepare("rl/data/gae.c", file.read())
        if verdict != "same code":
            raise SystemExit(f"an unchanged file: found '{verdict or 'other code'}', expected the build's bytes")

    def try_tests(self, names):
        """Runs tests in order up to the first that fails: (program, what failed), or None; and how many saw it."""
        seen = 0
        os.makedirs(self.folder)
        for name in names:
            test = self.tests[name]
            if not (self.relink(test.program, test.members) if test.program else self.relink_programs()):
                continue
            seen += 1
            failed, _ = self.run_test(test, self.folder, CPU_SECONDS + 5 * test.seconds)
            if failed:
                return (name, failed), seen
        return None, seen


def clock():
    return time.strftime("%H:%M:%S")
