from listenread.job import job
from listenread.report import triplet_depth

with job(snakemake.log[0]):
    triplet_depth.draw(snakemake.input.metrics, snakemake.output.depth[0])
