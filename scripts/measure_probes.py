from listenread.tasks.probes import measure_probes
from listenread.workflow.job import job

with job(snakemake.log[0]):
    measure_probes(
        snakemake.input.embeddings,
        snakemake.input.manifest,
        snakemake.output[0],
        **snakemake.wildcards,
        **snakemake.params,
    )
