from listenread.tasks.separation import measure_separation
from listenread.workflow.job import job

with job(snakemake.log[0]):
    measure_separation(
        snakemake.input.scores,
        snakemake.input.audio,
        snakemake.input.text,
        snakemake.output[0],
        **snakemake.wildcards,
        **snakemake.params,
    )
