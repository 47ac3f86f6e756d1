# The checked configuration, the names that wildcards may take, and the code that rules depend on.
# Rules take leaf values from CONFIG through their `params`; scripts never see it.

import sys
from pathlib import Path

PROJECT = Path(workflow.basedir)
PACKAGE = Path(os.path.relpath(PROJECT / "listenread"))
sys.path.insert(0, str(PROJECT))

from listenread.workflow import code_inputs, scheduling, startup
from listenread import prompts
from listenread.workflow import config as configuration
from listenread.datasets import tinysol
from listenread.errors import ListenreadError
from listenread.models import registry
from snakemake.exceptions import WorkflowError

startup.collect_seldom()

try:
    configuration.check_duplicate_keys(
        Path(name)
        for name in dict.fromkeys(
            [*workflow.configfiles, *workflow.overwrite_configfiles]
        )
    )
    CONFIG = configuration.resolve(
        config, configuration.load_schema(PROJECT / "config" / "schema.yaml"), PACKAGE
    )
except ListenreadError as error:
    raise WorkflowError(str(error))

# Heavy stages are shared between working copies and users: `--cache`, with this variable set.
SHARED = "SNAKEMAKE_OUTPUT_CACHE" in os.environ
DATA_DIR = CONFIG["data_dir"]
EXPERIMENT = CONFIG["experiment"]
EXPERIMENT_DIR = f"results/experiments/{EXPERIMENT['name']}"


def one_of(names):
    """A wildcard constraint that admits these names; no name at all admits nothing."""
    return "|".join(re.escape(name) for name in names) or "(?!)"


def named(catalogue, **wanted):
    """Names of the catalogue's entries that have these values."""
    return [
        name
        for name, entry in CONFIG[catalogue].items()
        if all(entry.get(key) in values for key, values in wanted.items())
    ]


def growing(first):
    """A function for `resources`: so much at the first attempt, twice at the second, ...

    They are requests to a scheduler (MB, minutes), some twice what was measured; a local run obeys
    them only where `--resources` says what the machine has.
    """
    return lambda wildcards, attempt: attempt * first


# A job that embeds clips or trains asks for one GPU unless the CPU is named; one that needs seconds
# on a CPU only where a GPU is named. `--resources gpu=N` runs N of them at once on one machine.
DEVICE = CONFIG["embedding"]["device"]
GPU = 0 if DEVICE == "cpu" else 1
GPU_NAMED = 0 if DEVICE in ("auto", "cpu") else 1
GPUS_HERE = workflow.global_resources.get("gpu")
THREADS_PER_GPU = max(1, workflow.cores // (GPU and GPUS_HERE and GPUS_HERE.value or 1))


wildcard_constraints:
    dataset=one_of(CONFIG["datasets"]),
    model=one_of(CONFIG["models"]),
    prompt=one_of(CONFIG["prompts"]),
    reference=one_of(CONFIG["prompts"]),
    ontology_name=one_of([Path(CONFIG["ontology"]["file"]).stem]),


def code(script, *more):
    """The script and every package module that it imports, and those that a registry would import.

    Rules declare them as inputs, so that an edit re-runs what depends on it, and only that.
    """
    sources = [PROJECT / "scripts" / script]
    sources += [code_inputs.module_source(name, PROJECT) for name in more]
    return [
        os.path.relpath(path) for path in code_inputs.modules_behind(sources, PROJECT)
    ]
