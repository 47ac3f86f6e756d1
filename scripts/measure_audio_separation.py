from listenread.tasks.separation import measure_audio_separation
from listenread.workflow.job import job

with job(snakemake.log[0]):
    measure_audio_separation(
        snakemake.input.embeddings,
        snakemake.output[0],
        **snakemake.wildcards,
        **snakemake.params,
    )
