from listenread.job import job
from listenread.tasks.confidence import measure_confidence

with job(snakemake.log[0]):
    measure_confidence(
        snakemake.input.scores,
        snakemake.output[0],
        **snakemake.wildcards,
        **snakemake.params,
    )
