"""Small changes of a C++ source: each is one place, one operator, one line that reads differently."""
import hashlib
import re
from dataclasses import dataclass

# A number in an argument list of a template is a size or a kind, not a formula.
TEMPLATE_NUMBER = re.compile(r"\w<[\w:,* ]*$"), re.compile(r"^[\w:,* ]*>")
# Sizes of blocks and the like change the speed alone: their numbers are left.
PERFORMANCE = re.compile(
    r"constexpr [\w:]+ \w*(block|chunk|grain|tile|unroll|cache|prefetch)\w* = |\.reserve\(|parallel_for\(|HWY_UNROLL\(")
NUMBER = re.compile(r"(?<![\w.'])(?:\d[\d']*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?:[uUlLfF]*)(?![\w.'])")
COMMUTATIVE = {"min", "max", "minimum", "maximum", "hypot", "equal", "logaddexp", "defined"}

# operator, pattern, replacements
RULES = [
    ("sign", r"(?<= )\+(?= )", ["-"]),
    ("sign", r"(?<= )-(?= )", ["+"]),
    ("sign", r"(?<= )\+=(?= )", ["-="]),
    ("sign", r"(?<= )-=(?= )", ["+="]),
    ("sign", r"(?:(?<=[(\[{])|(?<=[=,?:] )|(?<=return ))-(?=[\w(.])", [""]),
    ("sign", r"^\s*\+\+(?=\w+;)", ["--"]),
    ("factor", r"(?<= )\*(?= )", ["/", "* 0.9 *"]),
    ("factor", r"(?<= )/(?= )", ["*", "/ 0.9 /"]),
    ("factor", r"(?<= )\*=(?= )", ["/="]),
    ("factor", r"(?<= )/=(?= )", ["*="]),
    ("factor", r"\b(?:std|at)::(?:sqrt|abs|exp)(?=\()", [""]),
    ("factor", r"\.(?:sqrt|square|abs)\(\)", [""]),
    ("function", r"\b(std|at)::(?:min|max|minimum|maximum|log1p|expm1|cos|sin)(?=[(<])", None),
    ("comparison", r"(?<= )<(?= )", ["<=", ">="]),
    ("comparison", r"(?<= )>(?= )", [">=", "<="]),
    ("comparison", r"(?<= )<=(?= )", ["<", ">"]),
    ("comparison", r"(?<= )>=(?= )", [">", "<"]),
    ("comparison", r"(?<= )==(?= )", ["!="]),
    ("comparison", r"(?<= )!=(?= )", ["=="]),
    ("logic", r"(?<= )&&(?= )", ["||"]),
    ("logic", r"(?<= )\|\|(?= )", ["&&"]),
    ("logic", r"(?<![\w)\]])!(?=[\w(])", [""]),
    ("logic", r"\b(?:true|false)\b", None),
    ("swap", r"\b(\w+)\(([\w.]+), ([\w.]+)\)", None),
]
RULES = [(name, re.compile(pattern), new) for name, pattern, new in RULES]
OTHER = {"min": "max", "max": "min", "minimum": "maximum", "maximum": "minimum", "log1p": "log",
         "expm1": "exp", "cos": "sin", "sin": "cos", "true": "false", "false": "true"}


@dataclass(frozen=True)
class Mutant:
    file: str
    line: int  # from 1
    operator: str
    start: int  # in the file's text
    end: int
    new: str
    before: str  # the line
    after: str
    occurrence: int  # among equal changes of equal lines of the file

    @property
    def key(self):
        """Names the change without line numbers, so that it survives an edit elsewhere in the file."""
        return "|".join([self.file, self.before, self.after, str(self.occurrence)])

    def rank(self, seed):
        """A fixed random order of all changes: a sample is the first of it."""
        return hashlib.sha256(f"{seed}|{self.key}".encode()).hexdigest()

    def apply(self, text):
        return text[:self.start] + self.new + text[self.end:]


def masked(text):
    """The text with comments, strings, characters, preprocessor lines and static assertions blanked, of equal
    length."""
    pattern = re.compile(
        r'//[^\n]*|/\*.*?\*/|R"(?P<d>[^(\s]*)\(.*?\)(?P=d)"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\''
        r"|^[ \t]*#(?:\\\n|[^\n])*|\bstatic_assert\([^;]*;", re.S | re.M)
    return pattern.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def is_one_name(text):
    return re.fullmatch(r"[\w.]+", text) and not re.fullmatch(r"\d.*", text)


def numbers(token):
    """Other values of a literal."""
    body = token.rstrip("uUlLfF") if not token.lower().startswith("0x") else token
    suffix = token[len(body):]
    plain = body.replace("'", "")
    if re.fullmatch(r"\d+", plain):
        value = int(plain)
        return [str(v) + suffix for v in ([value + 1, value - 1] if value else [1])]
    value = float(plain)
    return [repr(value * 0.9) + suffix, repr(value * 2) + suffix] if value else ["0.1" + suffix]


def replacements(name, pattern_new, match):
    """Texts that can stand in a match's place."""
    if pattern_new is not None:
        blank = match.group()[:len(match.group()) - len(match.group().lstrip())]
        return [blank + new for new in pattern_new]
    if name == "logic":
        return [OTHER[match.group()]]
    if name == "function":
        space, function = match.group().split("::")
        return [f"{space}::{OTHER[function]}"]
    function, first, second = match.groups()
    if function in COMMUTATIVE or first == second or not (is_one_name(first) and is_one_name(second)):
        return []
    return [f"{function}({second}, {first})"]


def changes_of_line(line):
    """(operator, start, end, new) of a masked line, in order of place."""
    found = []
    for name, pattern, new in RULES:
        for match in pattern.finditer(line):
            for text in replacements(name, new, match):
                found.append((match.start(), name, match.end(), text))
    if not PERFORMANCE.search(line):
        for match in NUMBER.finditer(line):
            before, after = TEMPLATE_NUMBER
            if before.search(line[:match.start()]) and after.search(line[match.end():]):
                continue
            for text in numbers(match.group()):
                found.append((match.start(), "constant", match.end(), text))
    return sorted(found, key=lambda f: (f[0], f[1], f[3]))


def mutants(file, text):
    """Every mutant of a source."""
    seen, result, offset = {}, [], 0
    for number, (hidden, line) in enumerate(zip(masked(text).split("\n"), text.split("\n")), 1):
        for start, name, end, new in changes_of_line(hidden):
            after = (line[:start] + new + line[end:]).strip()
            change = line.strip(), after
            seen[change] = seen.get(change, -1) + 1
            result.append(Mutant(file, number, name, offset + start, offset + end, new, *change, seen[change]))
        offset += len(line) + 1
    return result
