from listenread.report.page import Inputs, write_report
from listenread.workflow.job import job

with job(snakemake.log[0]):
    files = {name: paths for name, paths in snakemake.input.items() if name != "code"}
    shown = {name: value for name, value in snakemake.params.items() if name != "contents"}
    write_report(
        snakemake.output.html,
        Inputs(**files),
        table_files=snakemake.output.tables,
        model_index_files=snakemake.output.model_index,
        experiment=snakemake.wildcards.experiment,
        **shown,
    )
