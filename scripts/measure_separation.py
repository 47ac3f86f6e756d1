from listenread.job import job
from listenread.tasks.separation import measure_separation

with job(snakemake.log[0]):
    measure_separation(
        snakemake.input.scores,
        snakemake.input.audio,
        snakemake.input.text,
        snakemake.output[0],
        **snakemake.wildcards,
        **snakemake.params,
    )
