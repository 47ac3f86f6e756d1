from listenread.models.released_fetch import fetch_file
from listenread.workflow.job import job

with job(snakemake.log[0]):
    fetch_file(snakemake.output[0], listing=snakemake.input.listing, **snakemake.params)
