from listenread.files import checksums
from listenread.workflow.job import job

with job(snakemake.log[0]):
    checksums.write(snakemake.output[0], snakemake.input.files)
