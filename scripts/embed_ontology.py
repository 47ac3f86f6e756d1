from pathlib import Path

from listenread import ontology, prompts
from listenread.embed import embed_text
from listenread.workflow.job import job

with job(snakemake.log[0]):
    tree = ontology.read(
        snakemake.input.ontology, column=snakemake.params.column, root=snakemake.params.root
    )
    rows = prompts.rows(
        {name: name for name in tree.instruments},
        template=snakemake.params.template,
        filler_seeds=snakemake.params.filler_seeds,
    )
    embed_text(
        Path(snakemake.input.description).parent,
        rows,
        snakemake.output[0],
        health_path=snakemake.input.health,
        accept_unhealthy=snakemake.params.accept_unhealthy,
        device=snakemake.params.device,
        precision=snakemake.params.precision,
        threads=snakemake.threads,
    )
