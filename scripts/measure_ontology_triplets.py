from listenread.tasks.ontology_triplets import measure_ontology_triplets
from listenread.workflow.job import job

with job(snakemake.log[0]):
    measure_ontology_triplets(
        snakemake.input.text,
        snakemake.input.ontology,
        snakemake.output.tidy,
        snakemake.output.per_class,
        **snakemake.wildcards,
        **snakemake.params,
    )
