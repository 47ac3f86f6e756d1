from listenread.tasks.audio_only import measure_audio_only
from listenread.workflow.job import job

with job(snakemake.log[0]):
    measure_audio_only(
        snakemake.input.embeddings,
        snakemake.input.manifest,
        snakemake.output[0],
        **snakemake.wildcards,
        **snakemake.params,
    )
