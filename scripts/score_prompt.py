from listenread.scores import score_prompt
from listenread.workflow.job import job

with job(snakemake.log[0]):
    score_prompt(snakemake.input.audio, snakemake.input.text, snakemake.output[0])
