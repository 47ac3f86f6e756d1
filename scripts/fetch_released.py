from pathlib import Path

from listenread.job import job
from listenread.models.released_fetch import fetch_system

with job(snakemake.log[0]):
    fetch_system(
        snakemake.output.folder,
        Path(snakemake.output.description).parent,
        listing=snakemake.input.listing,
        **snakemake.params,
    )
