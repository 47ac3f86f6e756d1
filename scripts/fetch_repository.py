from listenread.job import job
from listenread.models.hub import fetch_repository

with job(snakemake.log[0]):
    fetch_repository(snakemake.output[0], **snakemake.params)
