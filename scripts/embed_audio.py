from pathlib import Path

from listenread.embed import embed_audio
from listenread.workflow.job import job
from listenread.workflow.startup import keep_freed_memory

with job(snakemake.log[0]):
    keep_freed_memory()
    embed_audio(
        Path(snakemake.input.description).parent,
        snakemake.input.manifest,
        snakemake.output[0],
        health_path=snakemake.input.health,
        threads=snakemake.threads,
        **snakemake.params,
    )
