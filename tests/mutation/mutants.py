"""What can be changed: mutants generated from the sources, and those listed in details.txt.

Generated ones come from the tokens of the code alone: comments, strings, preprocessor lines, assertions and error
texts are left out. Which ones are taken depends on a hash of seed, file, line and change, so an edit elsewhere leaves
the choice as it was.
"""

import dataclasses
import hashlib
import re

FOLDERS = ("rl/algo", "rl/data", "nets", "envs", "rl/base", "rl/run", "rl/cli", "rl/view", "rl/report",
           "rl/tensorboard")
# a line of these counts so often when mutants are shared out, of others once: what computes comes before what writes
WEIGHT = {"rl/algo": 4, "rl/data": 4, "nets": 3, "envs": 2}

# what measures speed: its figures are the machine's, and tests/system/test_bench.sh holds their shape; and what takes
# the place of a part that a build does without
LEFT_OUT = ("rl/run/bench", "rl/cli/rlbench", "rl/view/absent/", "rl/tensorboard/absent/")

TOKEN = re.compile(
    r"""(?P<skip>//[^\n]*|/\*.*?\*/|^[ \t]*\#(?:\\\n|[^\n])*|\s+)
      |(?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
      |(?P<number>\.?\d(?:[eEpP][+-]|[\w.])*)
      |(?P<name>[A-Za-z_]\w*)
      |(?P<op><<=|>>=|\.\.\.|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|.)""",
    re.VERBOSE | re.MULTILINE | re.DOTALL)

SWAPS = {
    "<": ("<=", ">"), "<=": ("<", ">="), ">": (">=", "<"), ">=": (">", "<="), "==": ("!=",), "!=": ("==",),
    "&&": ("||",), "||": ("&&",), "+=": ("-=",), "-=": ("+=",), "*=": ("/=",), "/=": ("*=",), "++": ("--",),
    "--": ("++",), "<<": (">>",), ">>": ("<<",), "%": ("*",), "|=": ("&=",), "&=": ("|=",), "^": ("|",)}
BINARY = {"+": ("-",), "-": ("+",), "*": ("/",), "/": ("*",), "&": ("|",), "|": ("&",)}
NAMES = {"true": "false", "false": "true", "fmin": "fmax", "fmax": "fmin", "fminf": "fmaxf", "fmaxf": "fminf",
         "fabs": "+", "isfinite": "!isfinite", "sin": "cos", "cos": "sin", "min_int": "-min_int"}
# what is inside these parentheses is no behaviour, or only a text
IGNORED = {"RL_ASSERT", "_Static_assert", "static_assert", "rl_error", "sizeof", "__attribute__"}
NOT_STATEMENTS = {"return", "break", "continue", "goto", "if", "for", "while", "do", "switch", "case", "default",
                  "else", "typedef", "struct", "enum", "union", "static", "const", "extern", "inline", "RL_ASSERT",
                  "_Static_assert", "_Alignas", "using", "namespace"}
TYPES = re.compile(r"^(?:void|char|int|long|short|unsigned|signed|float|double|bool|const|struct|sizeof|return"
                   r"|\w+_t|Rl[A-Z]\w*|mj[A-Z]\w*|mjt\w+|FILE|DIR|Vec|VEC)$")


@dataclasses.dataclass(frozen=True)
class Mutant:
    """file[start:end] becomes text; kind is the operator's name, or the tag in details.txt."""
    file: str
    start: int
    end: int
    text: str
    kind: str
    line: int
    was: str
    becomes: str
    listed: bool

    @property
    def key(self):
        return self.file, self.kind, self.was, self.becomes

    def apply(self, source):
        return source[:self.start] + self.text + source[self.end:]


def squeeze(text):
    return " ".join(text.split())


def make(file, source, start, end, text, kind, listed=False):
    """A mutant with the lines it stands in, before and after."""
    first = source.rfind("\n", 0, start) + 1
    last = source.find("\n", end)
    last = len(source) if last < 0 else last
    return Mutant(file, start, end, text, kind, source.count("\n", 0, start) + 1, squeeze(source[first:last]),
                  squeeze(source[first:start] + text + source[end:last]), listed)


def tokens(source):
    """(kind, text, start, end) of what is code, without what stands in ignored parentheses."""
    found, ignored, depth = [], None, 0
    for match in TOKEN.finditer(source):
        kind, text = match.lastgroup, match.group()
        if kind == "skip":
            continue
        if text == "(":
            depth += 1
            if ignored is None and found and found[-1][1] in IGNORED:
                ignored = depth
                found.append((kind, text, match.start(), match.end()))
        if ignored is None:
            found.append((kind, text, match.start(), match.end()))
        if text == ")":
            if ignored == depth:
                ignored = None
                found.append((kind, text, match.start(), match.end()))
            depth -= 1
    return found


def constants(text):
    """What a literal may become."""
    if re.fullmatch(r"\d+", text):
        return [str(int(text) + 1)] + ([str(int(text) - 1)] if int(text) > 0 else [])
    if re.fullmatch(r"(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?[fF]?", text):
        return ["(2 * %s)" % text if float(text.rstrip("fF")) else text.replace("0", "1", 1)]
    return []


def in_loop_header(found):
    """For each token whether it stands in the parentheses of a for or while."""
    depth, outer, inside = 0, None, []
    for i, (_, text, _, _) in enumerate(found):
        depth += text == "("
        if text == "(" and outer is None and found[i - 1][1] in ("for", "while"):
            outer = depth
        inside.append(outer is not None)
        if text == ")":
            outer = None if outer == depth else outer
            depth -= 1
    return inside


def token_changes(found):
    """(start, end, text, kind) for changes of single tokens. Of a loop's header only bounds are moved: a loop that
    never runs or never ends teaches little."""
    header = in_loop_header(found)
    for i, (kind, text, start, end) in enumerate(found):
        before = found[i - 1] if i else ("op", ";", 0, 0)
        binary = before[0] in ("name", "number") and not TYPES.match(before[1]) or before[1] in (")", "]")
        if kind == "number":
            for other in constants(text):
                yield start, end, other, "constant"
        elif kind == "name" and text in NAMES and (text in ("true", "false") or found[i + 1][1] == "("):
            yield start, end, NAMES[text], "function" if found[i + 1][1] == "(" else "flag"
        elif kind == "op" and text in SWAPS:
            if not header[i] or text in ("<", "<=", ">", ">="):
                for other in SWAPS[text][:1 if header[i] else 2]:
                    yield start, end, other, "operator"
        elif kind == "op" and text in BINARY and binary:
            for other in BINARY[text]:
                yield start, end, other, "operator"
        elif text == "-" and not binary:
            yield start, end, "", "sign"
        elif text == "!" and found[i + 1][1] != "=":
            yield start, end, "", "negation"
        elif text == "if" and found[i + 1][1] == "(":
            yield end, found[i + 1][3], " (!(", "negation"


def statements(found):
    """(start, end) of whole statements that are calls or assignments."""
    i, inside = 0, 0
    while i < len(found) - 1:
        kind, text = found[i][:2]
        inside += (text == "(") - (text == ")")
        opens = inside == 0 and i > 0 and found[i - 1][1] in (";", "{", "}", ")", "else")
        second = found[i + 1]
        if opens and (kind == "name" and text not in NOT_STATEMENTS and not TYPES.match(text)
                      and second[0] == "op" and second[1] not in ("*", ":", ",", "}", ";")
                      or text in ("*", "++", "--")):
            depth, j = 0, i
            while j < len(found) and not (found[j][1] == ";" and depth == 0) and depth >= 0:
                depth += (found[j][1] in "([{") - (found[j][1] in ")]}")
                j += 1
            if j < len(found) and depth == 0:
                yield found[i][2], found[j][3]
                i = j
        i += 1


def closing(source, found, start):
    """The place behind the parenthesis that closes the one ending at start."""
    depth = 0
    for _, text, begin, end in found:
        if begin < start - 1:
            continue
        depth += (text == "(") - (text == ")")
        if depth == 0:
            return end
    return None


def candidates(file, source):
    """Every generated mutant of a file, one of each kind of change."""
    found, seen = tokens(source), set()
    changes = list(token_changes(found))
    changes += [(a, b, ";" + "\n" * source.count("\n", a, b), "statement") for a, b in statements(found)]
    for start, end, text, kind in changes:
        if text == " (!(":
            close = closing(source, found, end)
            if close is None:
                continue
            text, end = " (!" + source[end - 1:close] + ")", close
        mutant = make(file, source, start, end, text, kind)
        if mutant.key not in seen:
            seen.add(mutant.key)
            yield mutant


def rank(seed, mutant):
    return hashlib.sha1("|".join((str(seed),) + mutant.key).encode()).hexdigest()


def layer(file):
    return next(folder for folder in FOLDERS if file.startswith(folder + "/"))


def choose(sources, count, seed):
    """count lists of mutants: the first of each that is one is taken. Files get them by weighted lines of code, a
    line not more than one."""
    lines = {file: len({source.count("\n", 0, start) for _, _, start, _ in tokens(source)}) * WEIGHT.get(layer(file), 1)
             for file, source in sources.items()}
    total, spare = sum(lines.values()), 0.5
    for file in sorted(sources, key=lambda f: (FOLDERS.index(layer(f)), f)):
        by_line = {}
        for mutant in sorted(candidates(file, sources[file]), key=lambda m: rank(seed, m)):
            by_line.setdefault(mutant.line, []).append(mutant)
        spare += count * lines[file] / total
        places = list(by_line.values())
        while spare >= 1 and places:
            yield places.pop(0)
            spare -= 1


def read_list(path, sources):
    """The mutants of details.txt. Text that is not found, or found twice, is an error: the list follows the code."""
    mutants, head, old, new = [], None, [], []

    def finish():
        if head is None:
            return
        tag, file = head
        was, becomes = "\n".join(old), "\n".join(new)
        count = sources[file].count(was) if file in sources else -1
        if count != 1:
            raise SystemExit(f"{path}: {tag}: found {max(count, 0)} times, expected once in {file}:\n{was}")
        start = sources[file].index(was)
        same = 0
        while same < min(len(was), len(becomes)) and was[same] == becomes[same]:
            same += 1
        mutants.append(make(file, sources[file], start + same, start + len(was), becomes[same:], tag, True))

    with open(path, encoding="utf-8") as lines:
        for line in lines:
            line = line.rstrip("\n")
            if line.startswith("@ "):
                finish()
                head, old, new = tuple(line[2:].split()), [], []
            elif line.startswith("- "):
                old.append(line[2:])
            elif line.startswith("+ "):
                new.append(line[2:])
            elif line and not line.startswith("#"):
                raise SystemExit(f"{path}: found '{line}', expected '@ TAG FILE', '- OLD' or '+ NEW'")
    finish()
    return mutants
