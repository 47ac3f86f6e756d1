from listenread.job import job
from listenread.scores import score_prompt

with job(snakemake.log[0]):
    score_prompt(snakemake.input.audio, snakemake.input.text, snakemake.output[0])
