from listenread import tables
from listenread.job import job

with job(snakemake.log[0]):
    tables.write_unavailable(
        snakemake.output[0], "text vectors were released for TinySOL's labels only"
    )
