from listenread.files import tables
from listenread.workflow.job import job

with job(snakemake.log[0]):
    tables.write_unavailable(
        snakemake.output[0], "text vectors were released for TinySOL's labels only"
    )
