from listenread.job import job
from listenread.report.similarity import draw_audio_only

with job(snakemake.log[0]):
    draw_audio_only(snakemake.input.embeddings, snakemake.output.similarity[0], **snakemake.params)
