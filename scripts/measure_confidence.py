from listenread.tasks.confidence import measure_confidence
from listenread.workflow.job import job

with job(snakemake.log[0]):
    measure_confidence(
        snakemake.input.scores,
        snakemake.output[0],
        **snakemake.wildcards,
        **snakemake.params,
    )
