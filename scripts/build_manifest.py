from listenread.datasets import registry
from listenread.datasets.checking import AudioLimits, build_manifest
from listenread.datasets.manifest import write_manifest
from listenread.workflow.job import job

with job(snakemake.log[0]):
    rows = registry.load(snakemake.params.loader).read_clips(
        snakemake.params.root, snakemake.params.metadata, **snakemake.params.options
    )
    manifest = build_manifest(
        rows,
        snakemake.params.vocabulary or None,
        on_bad_audio=snakemake.params.on_bad_audio,
        limits=AudioLimits(**snakemake.params.limits),
        workers=snakemake.threads,
    )
    write_manifest(snakemake.output[0], manifest, loader=snakemake.params.loader)
