from listenread.models.released import released_manifest
from listenread.workflow.job import job

with job(snakemake.log[0]):
    released_manifest(
        snakemake.input.ground_truth,
        snakemake.input.metadata,
        snakemake.output[0],
        listing=snakemake.input.listing,
        vocabulary=snakemake.params.vocabulary,
    )
