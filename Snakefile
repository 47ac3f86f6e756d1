# listenread: does an audio-text model listen, and does it read?
#
#   snakemake --cores all                                        the paper's experiment
#   snakemake --cores all --configfile config/quickstart.yaml    the embedded quickstart
#
# A dataset of labelled clips, a two-tower model and a set of prompts go in; vectors, similarities,
# metrics with their uncertainty, figures and a report come out.
from snakemake.utils import min_version

min_version("9.27")

# The folder of this file, also where another workflow uses it as a module.
PROJECT = workflow.current_basedir


include: "rules/common.smk"
include: "rules/fetch.smk"
include: "rules/prepare.smk"
include: "rules/embed.smk"
include: "rules/measure.smk"
include: "rules/report.smk"


onstart:
    scheduling.without_timers(workflow)


rule all:
    default_target: True
    input:
        f"{EXPERIMENT_DIR}/report.html",
        f"{EXPERIMENT_DIR}/metrics.parquet",
        f"{EXPERIMENT_DIR}/metrics.csv",
        f"{EXPERIMENT_DIR}/paper_comparison.csv",
        f"{EXPERIMENT_DIR}/checksums.sha256",
