from listenread.job import job
from listenread.tidy import gather

with job(snakemake.log[0]):
    gather(snakemake.input.metrics, snakemake.output.parquet, snakemake.output.csv)
