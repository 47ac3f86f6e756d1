from listenread.tasks.zero_shot import measure_zero_shot
from listenread.workflow.job import job

with job(snakemake.log[0]):
    measure_zero_shot(
        snakemake.input.scores,
        snakemake.output.tidy,
        snakemake.output.per_class,
        **snakemake.wildcards,
        **snakemake.params,
    )
