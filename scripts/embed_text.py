from pathlib import Path

from listenread.embed import embed_text, unavailable_as_table
from listenread.paper.vectors import read_text
from listenread.prompts import Prompt
from listenread.workflow.job import job

with job(snakemake.log[0]), unavailable_as_table(snakemake.output[0]):
    params, files = snakemake.params, snakemake.input
    prompt = Prompt(**params.prompt)
    if params.reading is not None:
        read_text(
            snakemake.output[0],
            **params.reading,
            prompt=snakemake.wildcards.prompt,
            words=params.words,
            template=prompt.template,
        )
    else:
        embed_text(
            Path(files.description).parent,
            prompt.texts(params.words, files.get("definitions"), params.names),
            snakemake.output[0],
            templates=prompt.templates,
            same_texts=prompt.same_texts,
            health_path=files.health,
            threads=snakemake.threads,
            **params.tower,
        )
