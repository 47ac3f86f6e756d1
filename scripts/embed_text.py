from pathlib import Path

from listenread import prompts
from listenread.embed import embed_text
from listenread.workflow.job import job

with job(snakemake.log[0]):
    rows = prompts.rows(
        snakemake.params.words,
        template=snakemake.params.template,
        templates=snakemake.params.templates,
        filler_seeds=snakemake.params.filler_seeds,
        definitions_file=snakemake.input.get("definitions"),
        names=snakemake.params.names,
        mask_label=snakemake.params.mask_label,
    )
    embed_text(
        Path(snakemake.input.description).parent,
        rows,
        snakemake.output[0],
        templates=snakemake.params.templates,
        health_path=snakemake.input.health,
        accept_unhealthy=snakemake.params.accept_unhealthy,
        device=snakemake.params.device,
        precision=snakemake.params.precision,
        threads=snakemake.threads,
    )
