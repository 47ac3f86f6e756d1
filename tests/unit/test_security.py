"""No line of ours loads a pickle, runs a shell or downloads in the open: the sources are walked."""

import ast
import re

import pytest
import yaml

from listenread.workflow import config as configuration

#: Calls that run what they read, or hand a string to a shell. A `None` module is a builtin.
FORBIDDEN = {
    "eval", "exec", "compile", "__import__", "os.system", "os.popen", "subprocess.getoutput",
    "subprocess.getstatusoutput", "pickle.load", "pickle.loads", "pickle.Unpickler", "marshal.load",
    "marshal.loads", "shelve.open", "dill.load", "dill.loads", "joblib.load", "cloudpickle.load",
    "cloudpickle.loads", "pd.read_pickle", "pandas.read_pickle", "torch.hub.load",
    "yaml.load", "yaml.full_load", "yaml.unsafe_load", "yaml.load_all", "shutil.unpack_archive",
    "torch.jit.load", "torch.package.PackageImporter", "tempfile.mktemp",
}  # fmt: skip
#: Methods that unpack an archive without a look at its members' names.
FORBIDDEN_METHODS = {"extractall"}


def sources(repository):
    paths = [
        *(repository / "listenread").rglob("*.py"),
        *(repository / "scripts").rglob("*.py"),
    ]
    assert len(paths) > 100
    return paths


def name_of(function):
    """`torch.load` of the expression `torch.load`; only the last part of anything longer."""
    parts = []
    while isinstance(function, ast.Attribute):
        parts.append(function.attr)
        function = function.value
    if isinstance(function, ast.Name):
        parts.append(function.id)
    return ".".join(reversed(parts))


def constant(call, keyword):
    for given in call.keywords:
        if given.arg == keyword:
            return given.value.value if isinstance(given.value, ast.Constant) else "not a constant"
    return None


def problems(source):
    """What is not allowed in a source, line by line."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module in {"pickle", "marshal", "shelve"}:
            yield node.lineno, f"from {node.module} import ..."
        if not isinstance(node, ast.Call):
            continue
        name = name_of(node.func)
        if name in FORBIDDEN or name.rpartition(".")[2] in FORBIDDEN_METHODS:
            yield node.lineno, name
        if name == "torch.load" and constant(node, "weights_only") is not True:
            yield node.lineno, "torch.load without weights_only=True"
        if name in {"np.load", "numpy.load"} and constant(node, "allow_pickle") is not False:
            yield node.lineno, "np.load without allow_pickle=False"
        if constant(node, "allow_pickle") not in (None, False):
            yield node.lineno, "allow_pickle"
        if constant(node, "shell") not in (None, False):
            yield node.lineno, "shell"
        if constant(node, "trust_remote_code") not in (None, False):
            yield node.lineno, "trust_remote_code"
        if constant(node, "verify") is False and name.startswith(("requests", "session")):
            yield node.lineno, "a connection whose certificate is not checked"


def test_no_source_loads_unsafely_or_runs_a_shell(repository):
    found = [
        f"{path.relative_to(repository)}:{line}: {what}"
        for path in sources(repository)
        for line, what in problems(path.read_text("utf-8"))
    ]
    assert not found


@pytest.mark.parametrize(
    "line",
    [
        "eval(x)", "os.system('ls')", "subprocess.run(x, shell=True)", "pickle.load(f)",
        "torch.load(p)", "torch.load(p, weights_only=False)", "np.load(p)", "yaml.load(f)",
        "np.load(p, allow_pickle=flag)", "tar.extractall(p)", "from pickle import loads",
        "model.from_pretrained(x, trust_remote_code=True)", "requests.get(u, verify=False)",
    ],
)  # fmt: skip
def test_the_walk_sees_what_it_looks_for(line):
    assert list(problems(line))


def test_pickle_is_imported_for_the_name_of_its_error_only(repository):
    users = {
        (path.relative_to(repository).as_posix(), name_of(node))
        for path in sources(repository)
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and name_of(node).startswith("pickle.")
    }
    assert users == {("listenread/models/checkpoints.py", "pickle.UnpicklingError")}


def test_rules_have_scripts_and_no_shell(repository):
    """No string of a configuration can reach a shell where there is none."""
    rules = [repository / "Snakefile", *(repository / "rules").rglob("*.smk")]
    assert len(rules) > 6
    directives = [
        (path.name, match[1])
        for path in rules
        for match in re.finditer(r"^\s+(shell|run|wrapper|notebook|cwl):", path.read_text(), re.M)
    ]
    assert not directives
    for path in rules:
        assert not re.search(r"\b(os\.system|subprocess|eval|exec)\b", path.read_text()), path


def test_every_download_of_the_catalogues_is_https_with_a_checksum(repository):
    config = yaml.safe_load((repository / "config.yaml").read_text("utf-8"))
    schema = configuration.load_schema(repository / "config" / "schema.yaml")
    files = list(_files(config))
    assert len(files) > 5
    for entry in files:
        pinned = re.search(r"/[0-9a-f]{40}/", entry["url"])
        assert (entry["url"].startswith("https://") and pinned) or {"md5", "sha256"} & set(entry), (
            entry
        )
    patterns = [entry["pattern"] for entry in _urls(schema)]
    assert len(patterns) == 3 and all(pattern.startswith("^https://") for pattern in patterns)


def _files(value):
    if isinstance(value, dict):
        if "url" in value:
            yield value
        for inner in value.values():
            yield from _files(inner)


def _urls(value):
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "url" and isinstance(inner, dict) and "pattern" in inner:
                yield inner
            yield from _urls(inner)


def test_no_source_names_an_unencrypted_address(repository):
    """But the names of XML namespaces, which nobody asks."""
    namespaces = r"http://www\.w3\.org/"
    for path in [
        *sources(repository),
        repository / "config.yaml",
        *(repository / "config").iterdir(),
    ]:
        text = re.sub(namespaces, "", path.read_text("utf-8"))
        addresses = re.findall(r"http://[\w.]+", text)
        assert not addresses, (path, addresses)
