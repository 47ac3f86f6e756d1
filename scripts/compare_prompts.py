from listenread.tasks.prompt_effects import compare_prompts
from listenread.workflow.job import job

with job(snakemake.log[0]):
    compare_prompts(
        snakemake.input.scores,
        snakemake.input.texts,
        snakemake.output[0],
        **snakemake.wildcards,
        **snakemake.params,
    )
