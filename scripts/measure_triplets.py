from listenread.tasks.triplets import measure_triplets
from listenread.workflow.job import job

with job(snakemake.log[0]):
    measure_triplets(
        snakemake.input.text,
        snakemake.input.ontology,
        snakemake.output.tidy,
        snakemake.output.per_class,
        **snakemake.wildcards,
        **snakemake.params,
    )
