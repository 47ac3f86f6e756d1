from listenread.files.hub import fetch_repository
from listenread.workflow.job import job

with job(snakemake.log[0]):
    fetch_repository(snakemake.output[0], **snakemake.params)
