from pathlib import Path

from listenread.embed import embed_audio, unavailable_as_table
from listenread.workflow.job import job

with job(snakemake.log[0]), unavailable_as_table(snakemake.output[0]):
    embed_audio(
        Path(snakemake.input.description).parent,
        snakemake.input.manifest,
        snakemake.output[0],
        health_path=snakemake.input.health,
        threads=snakemake.threads,
        shard=int(snakemake.wildcards.shard),
        **snakemake.params.tower,
    )
