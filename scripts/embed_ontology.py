from pathlib import Path

from listenread import ontology
from listenread.embed import embed_text, unavailable_as_table
from listenread.errors import Unavailable
from listenread.prompts import Prompt
from listenread.workflow.job import job

with job(snakemake.log[0]), unavailable_as_table(snakemake.output[0]):
    params, files = snakemake.params, snakemake.input
    if params.without is not None:
        raise Unavailable(params.without)
    tree = ontology.read(files.ontology, column=params.column, root=params.root)
    embed_text(
        Path(files.description).parent,
        Prompt(**params.prompt).texts({name: name for name in tree.instruments}),
        snakemake.output[0],
        health_path=files.health,
        threads=snakemake.threads,
        **params.tower,
    )
