from listenread.report.comparison import compare_with_paper
from listenread.workflow.job import job

with job(snakemake.log[0]):
    compare_with_paper(
        snakemake.input.metrics,
        snakemake.input.published,
        snakemake.output[0],
        systems=snakemake.params.systems,
        datasets=snakemake.params.datasets,
    )
