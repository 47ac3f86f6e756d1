from listenread.files import tables
from listenread.workflow.job import job

with job(snakemake.log[0]):
    tables.concatenate(snakemake.input.shards, snakemake.output[0])
