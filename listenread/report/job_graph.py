"""How the page came about: the rules behind it, what led to what, and how long it took.

Snakemake keeps a record of every output file (rule, inputs, begin and end) below
``.snakemake/metadata``, one JSON file each, named by the base64 of the path. Walking back from the
inputs of the report finds the jobs behind this page and no others. Where there are no such records
(dropped, or kept in a database), the page does without.

Source of the format: `snakemake.persistence.file`, Snakemake 9.
"""

import base64
import json
import os
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import networkx as nx
from markupsafe import escape

#: Longest part of a record's path; a longer name continues in a folder.
_PART = 254
#: Width and height of a box and of the gaps between boxes, in pixels of the svg.
_BOX, _GAP = (168, 38), (32, 10)


class StageTime(NamedTuple):
    """Run time of the jobs of one rule.

    Attributes:
        rule: its name.
        jobs: how many there were.
        seconds: wall-clock time of all of them together.
    """

    rule: str
    jobs: int
    seconds: float


@dataclass(frozen=True)
class JobGraph:
    """The rules behind a page.

    Attributes:
        stages: their times, in an order in which they could have run.
        edges: pairs of rules of which the second reads what the first writes.
    """

    stages: list[StageTime]
    edges: list[tuple[str, str]]


def read_job_graph(targets: Iterable[str | Path], records: str | Path) -> JobGraph | None:
    """Find the jobs behind some files.

    Args:
        targets: files of the workflow, as paths from the working directory.
        records: Snakemake's folder of records.

    Returns:
        None where no target has a record.
    """
    jobs: dict[tuple[str, str], float] = {}
    edges: set[tuple[str, str]] = set()
    seen: dict[str, str | None] = {}
    waiting = deque(os.path.normpath(path) for path in targets)
    while waiting:
        path = waiting.popleft()
        if path in seen:
            continue
        record = _record(path, Path(records))
        seen[path] = record and record["rule"]
        if record is None:
            continue
        # A job of several outputs has one log, and a record for each of them.
        job = (record["rule"], "\n".join(record.get("log") or [path]))
        jobs[job] = float(record["endtime"]) - float(record["starttime"])
        for read in record.get("input") or []:
            edges.add((os.path.normpath(read), record["rule"]))
            waiting.append(os.path.normpath(read))
    if not jobs:
        return None
    between = {(seen[path], rule) for path, rule in edges if seen[path]}
    graph = nx.DiGraph()
    graph.add_nodes_from(sorted({rule for rule, _ in jobs}))
    graph.add_edges_from(sorted((a, b) for a, b in between if a != b))
    if not nx.is_directed_acyclic_graph(graph):  # records of two versions of the workflow
        return None
    order = list(nx.lexicographical_topological_sort(graph))
    stages = [
        StageTime(rule, len(times), sum(times))
        for rule in order
        for times in [[t for (name, _), t in jobs.items() if name == rule]]
    ]
    # What is led to by way of others need not be drawn.
    return JobGraph(stages, sorted(nx.transitive_reduction(graph).edges))


def _record(path: str, records: Path) -> Mapping[str, Any] | None:
    name = base64.urlsafe_b64encode(path.encode()).decode()
    parts = [name[start : start + _PART] for start in range(0, len(name), _PART)]
    place = records.joinpath(*(f"@{part}" for part in parts[:-1]), parts[-1])
    try:
        record = json.loads(place.read_text(encoding="utf-8"))
        complete = record["rule"] and record["starttime"] and record["endtime"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return record if complete else None


def duration(seconds: float) -> str:
    """Write a duration.

    >>> duration(0.04), duration(75), duration(7300)
    ('0.0 s', '1 min 15 s', '2 h 2 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes = int(seconds // 60)
    if minutes < 60:
        return f"{minutes} min {int(seconds % 60)} s"
    return f"{minutes // 60} h {minutes % 60} min"


def as_svg(graph: JobGraph) -> str:
    """Draw the rules from left to right, each in the column after the last one that it needs.

    Colours are the page's, by the classes `rule-box` and `rule-edge`; text is text.
    """
    drawn = nx.DiGraph(graph.edges)
    drawn.add_nodes_from(stage.rule for stage in graph.stages)
    columns = [sorted(column) for column in nx.topological_generations(drawn)]
    columns = _untangled(columns, drawn)
    (width, height), (gap_x, gap_y) = _BOX, _GAP
    rows = max(len(column) for column in columns)
    place = {}
    for x, column in enumerate(columns):
        top = (rows - len(column)) * (height + gap_y) / 2
        for y, rule in enumerate(column):
            place[rule] = (x * (width + gap_x), top + y * (height + gap_y))
    size = (len(columns) * (width + gap_x) - gap_x, rows * (height + gap_y) - gap_y)
    said = f"{len(graph.stages)} rules and what they lead to; the table below has them as text"
    parts = [
        f'<svg class="rules" xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{said}" '
        f'width="{size[0]:.0f}" height="{size[1] + 2:.0f}" '
        f'viewBox="-1 -1 {size[0] + 2:.0f} {size[1] + 2:.0f}">'
    ]
    for first, second in graph.edges:
        (x1, y1), (x2, y2) = place[first], place[second]
        x1, y1, y2 = x1 + width, y1 + height / 2, y2 + height / 2
        bend = gap_x * 0.8
        parts.append(
            f'<path class="rule-edge" d="M{x1:.0f} {y1:.1f} C{x1 + bend:.0f} {y1:.1f} '
            f'{x2 - bend:.0f} {y2:.1f} {x2:.0f} {y2:.1f}"/>'
        )
    for stage in graph.stages:
        x, y = place[stage.rule]
        jobs = "1 job" if stage.jobs == 1 else f"{stage.jobs} jobs"
        parts.append(
            f'<rect class="rule-box" x="{x:.0f}" y="{y:.1f}" width="{width}" height="{height}" '
            f'rx="4"/><text x="{x + 8:.0f}" y="{y + 16:.1f}">{escape(stage.rule)}</text>'
            f'<text class="small" x="{x + 8:.0f}" y="{y + 31:.1f}">'
            f"{jobs}, {duration(stage.seconds)}</text>"
        )
    return "".join([*parts, "</svg>"])


def _untangled(columns: list[list[str]], graph: nx.DiGraph) -> list[list[str]]:
    """Order each column by the mean row of what its rules are linked to, there and back."""
    for forwards in (True, False, True, False):
        walk = columns if forwards else columns[::-1]
        linked = graph.predecessors if forwards else graph.successors
        rows = {rule: i - len(column) / 2 for column in walk for i, rule in enumerate(column)}
        for _, column in pairwise(walk):
            means = {}
            for rule in column:
                near = [rows[other] for other in linked(rule)] or [rows[rule]]
                means[rule] = sum(near) / len(near)
            column.sort(key=means.__getitem__)
            rows |= {rule: i - len(column) / 2 for i, rule in enumerate(column)}
    return columns
