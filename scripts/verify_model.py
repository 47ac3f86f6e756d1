from pathlib import Path

from listenread.job import job
from listenread.models.verify import verify_model

with job(snakemake.log[0]):
    verify_model(
        Path(snakemake.input.description).parent,
        snakemake.input.checkpoint,
        snakemake.output[0],
        threads=snakemake.threads,
    )
