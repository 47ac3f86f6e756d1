from pathlib import Path

from listenread.datasets.base import Places
from listenread.datasets.building import build
from listenread.workflow.job import job

with job(snakemake.log[0]):
    places = snakemake.params.places
    build(
        snakemake.params.kind,
        snakemake.params.settings,
        Places(
            root=places["root"] and Path(places["root"]),
            metadata=places["metadata"] and Path(places["metadata"]),
            others={name: Path(path) for name, path in places["others"].items()},
        ),
        snakemake.output[0],
        base_manifest=snakemake.input.get("base"),
        vocabulary=snakemake.params.vocabulary or None,
        on_bad_audio=snakemake.params.on_bad_audio,
        limits=snakemake.params.limits,
        workers=snakemake.threads,
    )
