"""Snakemake's scheduler on one machine: it looks for jobs when one ends, not by the clock."""

from typing import Any

#: `--max-jobs-per-timespan` where nobody set it: jobs, seconds.
_DEFAULT_LIMIT = (100, 1)


def without_timers(workflow: Any) -> bool:
    """Take the limit of jobs per timespan from a local run that was given none.

    With a limit, Snakemake (9.27) sets a timer with every look for jobs, to look again when the
    timespan is over; that look sets the next. Each job that ends adds such a chain, so that after n
    jobs there are n looks a second, and n threads: a third of a core over a run of 215 jobs (see
    docs/performance.md). Cores limit the jobs of one machine anyway. A limit that the user sets,
    and one of a cluster, stays.

    Args:
        workflow: Snakemake's, when its scheduler is there (`onstart`).

    Returns:
        Whether there was such a limit.
    """
    limiter = getattr(workflow.scheduler, "job_rate_limiter", None)
    if limiter is None or not workflow.local_exec:
        return False
    if (limiter.max_jobs, limiter.timespan) != _DEFAULT_LIMIT:
        return False
    workflow.scheduler.job_rate_limiter = None
    return True
