from listenread.embed import count_shards
from listenread.workflow.job import job

with job(snakemake.log[0]):
    count_shards(
        snakemake.input.manifest,
        snakemake.output[0],
        shard_clips=snakemake.params.shard_clips,
    )
