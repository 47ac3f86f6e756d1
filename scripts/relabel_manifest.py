from listenread.datasets.relabelled import relabel_manifest
from listenread.workflow.job import job

with job(snakemake.log[0]):
    relabel_manifest(snakemake.input.manifest, snakemake.output[0], **snakemake.params)
