from listenread.figures import depth
from listenread.workflow.job import job

with job(snakemake.log[0]):
    depth.draw(snakemake.input.metrics, snakemake.output.depth[0])
