from pathlib import Path

from listenread.figures.runner import draw_figures
from listenread.tasks.cell import cell_of
from listenread.workflow.job import job

with job(snakemake.log[0]):
    params = snakemake.params
    svgs = {name: Path(files[0]) for name, files in snakemake.output.items()}
    cell = cell_of(snakemake.wildcards, snakemake.input)
    draw_figures(params.task, params.per, cell, params.settings, svgs)
