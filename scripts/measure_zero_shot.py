from listenread.job import job
from listenread.tasks.zero_shot import measure_zero_shot

with job(snakemake.log[0]):
    measure_zero_shot(
        snakemake.input.scores,
        snakemake.output.tidy,
        snakemake.output.per_class,
        **snakemake.wildcards,
        **snakemake.params,
    )
