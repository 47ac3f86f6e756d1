from listenread.job import job
from listenread.tasks.probes import measure_probes

with job(snakemake.log[0]):
    measure_probes(
        snakemake.input.embeddings,
        snakemake.input.manifest,
        snakemake.output[0],
        **snakemake.wildcards,
        **snakemake.params,
    )
