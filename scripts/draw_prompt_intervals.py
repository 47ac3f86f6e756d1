from listenread.job import job
from listenread.report import prompt_intervals

with job(snakemake.log[0]):
    prompt_intervals.draw(
        snakemake.input.metrics,
        snakemake.output.prompts[0],
        dataset=snakemake.wildcards.dataset,
        metric=snakemake.params.metric,
    )
