from listenread.files.download import fetch
from listenread.workflow.job import job

with job(snakemake.log[0]):
    fetch(target=snakemake.output[0], mirror=snakemake.params.mirror, **snakemake.params.file)
