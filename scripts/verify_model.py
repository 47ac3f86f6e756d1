from pathlib import Path

from listenread.models.verify import verify_model
from listenread.workflow.job import job

with job(snakemake.log[0]):
    verify_model(
        Path(snakemake.input.description).parent,
        snakemake.input.checkpoint,
        snakemake.output[0],
        threads=snakemake.threads,
    )
