from listenread.tasks.tidy import PER_CLASS, gather
from listenread.workflow.job import job

with job(snakemake.log[0]):
    gather(snakemake.input.metrics, snakemake.output.parquet, snakemake.output.csv)
    gather(
        snakemake.input.per_class,
        snakemake.output.per_class_parquet,
        snakemake.output.per_class_csv,
        schema=PER_CLASS,
    )
