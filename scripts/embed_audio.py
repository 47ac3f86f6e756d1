from pathlib import Path

from listenread.datasets.relabelled import take_vectors
from listenread.embed import embed_audio, unavailable_as_table
from listenread.files import tables
from listenread.paper.vectors import read_audio
from listenread.workflow.job import job

with job(snakemake.log[0]), unavailable_as_table(snakemake.output[0]):
    params, files, output = snakemake.params, snakemake.input, snakemake.output[0]
    match params.way:
        case "base":
            take_vectors(files.vectors, files.manifest, output)
        case "released":
            read_audio(
                output,
                **params.reading,
                released_dataset=params.released_dataset,
                vocabulary=params.vocabulary,
            )
        case "shards":
            tables.concatenate(files.shards, output)
        case _:
            embed_audio(
                Path(files.description).parent,
                files.manifest,
                output,
                health_path=files.health,
                threads=snakemake.threads,
                **params.tower,
            )
