# The checked configuration, the names that wildcards may take, and the code that rules depend on.
# Rules take leaf values from CONFIG through their `params`; scripts never see it.

import atexit
import os
import re
import sys
from functools import cache
from pathlib import Path

PROJECT = Path(str(PROJECT))
sys.path.insert(0, str(PROJECT))

import listenread
from listenread import entries, prompts
from listenread.errors import ListenreadError
from listenread.prompts import Prompt
from listenread.workflow import code_inputs, layout, replaced, scheduling, startup
from listenread.workflow import config as configuration
from listenread.workflow.contents import Contents
from listenread.workflow.messages import check_duplicate_keys, read_yaml
from snakemake.exceptions import WorkflowError
from snakemake.logging import logger
from snakemake.utils import update_config

startup.collect_seldom()
# Waiting threads sleep instead of spinning, and glibc keeps freed memory: see docs/performance.md.
for name, value in {
    "OMP_WAIT_POLICY": "passive",
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "2147483647",
}.items():
    os.environ.setdefault(name, value)

# Relative, like all inputs: an absolute path would make another copy of the project another result.
PACKAGE = Path(os.path.relpath(Path(listenread.__file__).parent))

# Read here: Snakemake passes over `configfile:` in a module that is given a configuration.
BASE_FILES = [
    PROJECT / name
    for name in (
        "catalogue/datasets.yaml",
        "catalogue/models.yaml",
        "catalogue/prompts.yaml",
        "config.yaml",
    )
]
OVERLAYS = [
    Path(name)
    for name in dict.fromkeys([*workflow.configfiles, *workflow.overwrite_configfiles])
]
# Modules of the user are found in the working directory and next to an overlay; jobs take this over.
for folder in [Path.cwd(), *(path.resolve().parent for path in OVERLAYS)]:
    if str(folder) not in sys.path:
        sys.path.append(str(folder))


@cache
def code(script, *modules):
    """The script, every package module that it imports, and those that a registry would import.

    Rules declare them as inputs, so that an edit re-runs what depends on it, and only that.
    """
    sources = [PROJECT / "scripts" / script]
    try:
        sources += [code_inputs.module_source(name, PROJECT) for name in modules]
        files = code_inputs.modules_behind(sources, PROJECT)
    except ListenreadError as error:
        raise WorkflowError(str(error))
    return [os.path.relpath(path) for path in files]


CONTENTS = Contents(Path(".snakemake/listenread/contents.json"))
if workflow.is_main_process:
    atexit.register(CONTENTS.save)


def contents_of(*inputs):
    """A function for `params`: the contents of inputs that the workflow does not make.

    Inputs are given as to `input`: functions, names or lists of files. A file that is replaced by
    an older one changes no time that Snakemake looks at, but this parameter.
    """

    def digest(wildcards):
        found = [one(wildcards) if callable(one) else one for one in inputs]
        return CONTENTS.digest(path for path in flat(found) if not is_made(path))

    return digest


def flat(files):
    """The files of input functions, in order: of mappings, lists, and names."""
    if isinstance(files, str):
        yield files
    else:
        for one in files.values() if isinstance(files, dict) else files:
            yield from flat(one)


def is_made(path):
    """Whether a rule of the workflow makes a file, whose changes Snakemake follows."""
    return path.startswith(layout.MADE) or path in MADE


try:
    check_duplicate_keys([*BASE_FILES, *OVERLAYS])
    merged = {}
    for values in [*map(read_yaml, BASE_FILES), config]:
        update_config(merged, values)
    CONFIG = configuration.resolve(merged, PACKAGE, [*BASE_FILES, *OVERLAYS])
    # Snakemake passes over an error in an input function where the outputs exist: code that cannot
    # be found or parsed must stop the run here.
    for module in CONFIG.modules():
        code("measure.py", module)
except ListenreadError as error:
    raise WorkflowError(str(error))

LAYOUT = layout.Layout(CONFIG)
if workflow.is_main_process:
    own = [
        (path, read_yaml(path)) for path in OVERLAYS if path.suffix in (".yaml", ".yml")
    ]
    for told in (
        *replaced.undone(own, PROJECT / "config"),
        *replaced.changes(LAYOUT),
        *replaced.left_over(LAYOUT),
        *layout.under_former_names(one.task for one in CONFIG.tasks.values()),
    ):
        logger.warning(told)
CONSTANTS = CONFIG.constants
DATASETS, MODELS, TASKS = CONFIG.datasets, CONFIG.models, CONFIG.tasks
# Heavy stages are shared between working copies and users: `--cache`, with this variable set.
SHARED = "SNAKEMAKE_OUTPUT_CACHE" in os.environ
DATA_DIR = CONSTANTS.data_dir
EXPERIMENT = CONSTANTS.experiment
EXPERIMENT_DIR = f"results/experiments/{EXPERIMENT.name}"
ONTOLOGY = str(prompts.find_file(CONSTANTS.ontology.file, PACKAGE))
PUBLISHED = str(PACKAGE / "resources" / "published_results.csv")
RELEASED_LISTING = str(PACKAGE / "resources" / "released_files.csv")
SOURCE = {
    "downloads": f"{DATA_DIR}/downloads",
    "mirror": CONSTANTS.mirror,
    "released_url": CONSTANTS.released.url,
    "retries": CONSTANTS.released.retries,
}
RESAMPLING = {
    "n": CONSTANTS.metrics.replicates,
    "confidence_level": CONSTANTS.metrics.confidence_level,
    "seed": CONSTANTS.metrics.seed,
}
TOWERS_ENV, TABLES_ENV = "../envs/towers.yaml", "../envs/tables.yaml"


def log_of(rule, *wildcards):
    """The log of a rule's jobs, one folder for each wildcard."""
    return str(Path("logs", rule, *(f"{{{name}}}" for name in wildcards))) + ".log"


def times_of(rule, *wildcards):
    """Where Snakemake writes the run time and memory of a rule's jobs, next to the logs."""
    return log_of(rule, *wildcards).removesuffix(".log") + ".benchmark.tsv"


def benchmark_unless_shared(rule, *wildcards):
    """Give a rule with `cache` its `benchmark`, where results are not shared.

    docs/upstream.md, "Snakemake refuses benchmark beside an active cache"
    """
    # In another workflow, rules have other names, or are left out.
    name = workflow.modifier.modify_rulename(rule)
    if not SHARED and workflow.is_rule(name):
        named = workflow.get_rule(name)
        named.benchmark_modifier = named.log_modifier
        named.benchmark = times_of(rule, *wildcards)


def one_of(names):
    """A wildcard constraint that admits these names; an empty list admits nothing."""
    return "|".join(re.escape(name) for name in names) or "(?!)"


def growing(first):
    """A function for `resources`: this much at the first attempt, twice at the second, ...

    They are requests to a scheduler (MB, minutes), some twice what was measured; a local run obeys
    them only where `--resources` says what the machine has.
    """
    return lambda wildcards, attempt: attempt * first


def used(entry, names):
    """The named settings of an entry of a catalogue, as leaf values for `params`."""
    values = entry.settings.plain()
    return {name: values[name] for name in names}


def used_by(catalogue, wildcard, names):
    """A function for `params`: the named settings of the entry that a wildcard names."""
    return lambda wildcards: used(catalogue[getattr(wildcards, wildcard)], names)


# A job that embeds clips or trains asks for one GPU unless the CPU is named; one that needs seconds
# on a CPU only where a GPU is named. `--resources gpu=N` runs N of them at once on one machine.
DEVICE = CONSTANTS.embedding.device
GPU = 0 if DEVICE == "cpu" else 1
GPU_NAMED = 0 if DEVICE in ("auto", "cpu") else 1
GPUS_HERE = workflow.global_resources.get("gpu")
THREADS_PER_GPU = max(1, workflow.cores // (GPU and GPUS_HERE and GPUS_HERE.value or 1))


wildcard_constraints:
    dataset=one_of([*DATASETS, LAYOUT.ontology_name]),
    model=one_of(MODELS),
    prompt=one_of(CONFIG.prompts),
    reference=one_of(CONFIG.prompts),
    ontology_name=one_of([LAYOUT.ontology_name]),
