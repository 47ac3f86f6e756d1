from listenread.figures import prompts
from listenread.workflow.job import job

with job(snakemake.log[0]):
    prompts.draw(
        snakemake.input.metrics,
        snakemake.output.prompts[0],
        dataset=snakemake.wildcards.dataset,
        metric=snakemake.params.metric,
    )
