from pathlib import Path

from listenread.health import check_prepared_model
from listenread.models.base import HealthLimits
from listenread.workflow.job import job

with job(snakemake.log[0]):
    check_prepared_model(
        Path(snakemake.input.description).parent,
        snakemake.output[0],
        device=snakemake.params.device,
        precision=snakemake.params.precision,
        threads=snakemake.threads,
        limits=HealthLimits(**snakemake.params.limits),
        known_answers_path=snakemake.input.get("known_answers") or None,
    )
