from listenread.job import job
from listenread.report import vector_map

with job(snakemake.log[0]):
    vector_map.draw(snakemake.input.audio, snakemake.input.text, snakemake.output.map[0])
