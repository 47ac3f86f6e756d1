from pathlib import Path

from listenread.models.released_fetch import fetch_system
from listenread.workflow.job import job

with job(snakemake.log[0]):
    fetch_system(
        snakemake.output.folder,
        Path(snakemake.output.description).parent,
        listing=snakemake.input.listing,
        **snakemake.params,
    )
