from pathlib import Path

from listenread.models.registry import prepare_own
from listenread.workflow.job import job

with job(snakemake.log[0]):
    prepare_own(Path(snakemake.output[0]).parent, snakemake.params.family, snakemake.params.options)
