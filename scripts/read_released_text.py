from listenread.models.released_files import read_text
from listenread.workflow.job import job

with job(snakemake.log[0]):
    read_text(
        snakemake.output[0],
        folder=snakemake.input.folder,
        listing=snakemake.input.listing,
        **snakemake.params,
    )
