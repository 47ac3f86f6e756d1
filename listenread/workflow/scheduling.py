"""A workaround for Snakemake's scheduler on one machine."""

from typing import Any

#: Snakemake's default for `--max-jobs-per-timespan`: jobs, seconds.
_DEFAULT_LIMIT = (100, 1)


def without_timers(workflow: Any) -> bool:
    """Remove the default limit of jobs per timespan from a run on one machine.

    With a limit, Snakemake (9.27) starts a timer whenever it looks for jobs, and each timer makes
    it look again, so that after n jobs it looks n times a second (`docs/performance.md`). Cores
    limit the jobs of one machine anyway. A limit set by the user is kept, and so is a cluster's.

    Args:
        workflow: Snakemake's object, once it has a scheduler (in `onstart`).

    Returns:
        Whether the limit was removed.
    """
    # docs/upstream.md, "Snakemake's rate limiter starts ever more timers"
    limiter = getattr(workflow.scheduler, "job_rate_limiter", None)
    if limiter is None or not workflow.local_exec:
        return False
    if (limiter.max_jobs, limiter.timespan) != _DEFAULT_LIMIT:
        return False
    workflow.scheduler.job_rate_limiter = None
    return True
