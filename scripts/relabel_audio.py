from listenread.datasets.relabelled import relabel_audio
from listenread.workflow.job import job

with job(snakemake.log[0]):
    relabel_audio(snakemake.input.embeddings, snakemake.input.manifest, snakemake.output[0])
