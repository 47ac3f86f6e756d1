from listenread.figures.similarity import draw_audio_only
from listenread.workflow.job import job

with job(snakemake.log[0]):
    draw_audio_only(snakemake.input.embeddings, snakemake.output.similarity[0], **snakemake.params)
