from listenread.tasks.cell import cell_of
from listenread.tasks.runner import measure_cell
from listenread.workflow.job import job

with job(snakemake.log[0]):
    params = snakemake.params
    measure_cell(
        params.task,
        cell_of(
            snakemake.wildcards,
            snakemake.input,
            names=params.names,
            ontology=params.ontology,
            parts=params.parts,
        ),
        params.settings,
        params.resampling,
        snakemake.output.tidy,
        snakemake.output.get("per_class"),
    )
