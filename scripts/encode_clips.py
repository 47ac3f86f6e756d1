from listenread.report.listening import encode_clips
from listenread.workflow.job import job

with job(snakemake.log[0]):
    settings = {name: value for name, value in snakemake.params.items() if name != "contents"}
    encode_clips(snakemake.input.manifest, snakemake.output[0], **settings)
