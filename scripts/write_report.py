from listenread.job import job
from listenread.report.page import write_report

with job(snakemake.log[0]):
    write_report(
        snakemake.output.html,
        snakemake.output.tables,
        experiment=snakemake.wildcards.experiment,
        metrics_path=snakemake.input.metrics,
        manifest_paths=snakemake.input.manifests,
        model_paths=snakemake.input.models,
        text_paths=snakemake.input.texts,
        figure_paths=snakemake.input.figures,
        **snakemake.params,
    )
