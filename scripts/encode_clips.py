from listenread.report.listening import encode_clips
from listenread.workflow.job import job

with job(snakemake.log[0]):
    encode_clips(snakemake.input.manifest, snakemake.output[0], **snakemake.params)
