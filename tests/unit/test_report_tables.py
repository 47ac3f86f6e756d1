"""The tables of the report: layout, marks, LaTeX and csv, model-index."""

import io
import json
import math
import re

import numpy as np
import pandas as pd
import pytest
from huggingface_hub.repocard_data import model_index_to_eval_results

from listenread.metrics import classification
from listenread.metrics.base import METRICS
from listenread.metrics.prompt_effects import difference
from listenread.metrics.separation import OVERLAP
from listenread.report import export
from listenread.report.contents import read_tasks
from listenread.report.model_index import model_index
from listenread.report.wide import MARKS, compared_with_paper, mark_best, widen

NAN = float("nan")


def tidy(*rows):
    columns = ["dataset", "model", "prompt", "metric", "value", "ci_low", "ci_high", "chance"]
    frame = pd.DataFrame(rows, columns=columns)
    frame = frame.assign(task="zero_shot", space="joint", protocol="published", n=300)
    rng = np.random.default_rng(0)
    return frame.assign(
        n_groups=300,
        interval="jackknife",
        replicates=[
            None if math.isnan(low) else value + 0.001 * rng.normal(size=60)
            for value, low in zip(frame["value"], frame["ci_low"], strict=True)
        ],
    )


ROWS = tidy(
    ("d", "a", "p", "top_1", 0.9, 0.8, 0.95, 0.25),
    ("d", "a", "p", "f1_macro", 0.5, 0.4, 0.6, 0.2),
    ("d", "a", "q", "top_1", 0.3, 0.2, 0.4, 0.25),
    ("d", "a", "q", "f1_macro", 0.45, 0.35, 0.55, 0.2),
    ("d", "b_1", "p", "top_1", 0.5, 0.4, 0.6, 0.25),
    ("e", "a", "p", "top_1", 0.7, NAN, NAN, 0.5),
)
KEYS = ("dataset", "model", "prompt")
TOP_1 = classification.top(1)
#: More than the rows have, as for a task whose metrics are not all defined.
ASKED = [TOP_1, classification.top(2), METRICS.find("f1_macro")]


def lay_out(rows, comparable=("dataset",), **keywords):
    return widen(rows, KEYS, comparable, ASKED, **keywords)


def test_rows_metrics_and_chance_are_where_they_belong():
    table = lay_out(ROWS)
    assert table.key_names == KEYS and table.metrics == ("top_1", "f1_macro")
    assert table.headings == ("top-1", "F1, macro")
    assert table.keys == [
        ("d", "", "chance"),
        ("d", "a", "p"),
        ("d", "a", "q"),
        ("d", "b_1", "p"),
        ("e", "", "chance"),
        ("e", "a", "p"),
    ]
    assert table.chance.tolist() == [True, False, False, False, True, False]
    np.testing.assert_array_equal(table.value[:, 0], [0.25, 0.9, 0.3, 0.5, 0.5, 0.7])
    np.testing.assert_array_equal(table.value[:, 1], [0.2, 0.5, 0.45, NAN, NAN, NAN])
    assert [MARKS[mark] for mark in table.mark[:4, 0]] == ["", "best", "", ""]


def test_keys_in_which_all_agree_are_left_out():
    rows = ROWS[(ROWS["dataset"] == "d") & (ROWS["model"] == "a")]
    assert lay_out(rows).key_names == ("prompt",)


def test_chance_that_differs_within_a_group_is_not_stated():
    rows = tidy(
        ("d", "a", "p", "top_1", 0.9, 0.8, 1, 0.1), ("d", "a", "q", "top_1", 0.9, 0.8, 1, 0.2)
    )
    assert not lay_out(rows).chance.any()


def test_an_empty_table_has_no_rows():
    assert len(lay_out(ROWS[:0])) == 0


def test_a_table_without_a_ranking_marks_nothing():
    assert lay_out(ROWS).mark.any() and not lay_out(ROWS, ranked=False).mark.any()


def test_columns_come_in_the_order_of_the_metrics_and_not_of_the_rows():
    table = lay_out(ROWS.iloc[::-1])
    assert table.metrics == ("top_1", "f1_macro")
    assert table.keys[1] == ("e", "a", "p")


def marks(metric, *cells, groups=60):
    """Marks of values with replicates about them: (value, spread), or (value, replicates)."""
    rng = np.random.default_rng(1)
    value = np.array([[cell[0]] for cell in cells])
    replicates = np.full(value.shape, None, dtype=object)
    for row, (centre, spread) in enumerate(cells):
        if spread is not None:
            replicates[row, 0] = (
                centre + spread * rng.normal(size=60) if np.isscalar(spread) else spread
            )
    found = mark_best(value, replicates, np.full(value.shape, groups), [metric.better], 0.05)
    return [MARKS[mark] for mark in found[:, 0]]


def test_the_best_is_marked_only_as_far_as_paired_differences_allow():
    assert marks(TOP_1, (0.9, 0.001), (0.5, 0.001)) == ["best", ""]
    assert marks(TOP_1, (0.9, 0.001), (0.895, 0.001), (0.1, 0.001)) == [
        "among the best",
        "among the best",
        "",
    ]
    assert marks(TOP_1, (0.9, 0.01), (0.85, 0.01)) == ["", ""]  # none can be told apart
    assert marks(TOP_1, (0.9, None), (0.5, 0.001)) == ["", ""]  # nothing to compare with
    assert marks(TOP_1, (NAN, None), (0.5, 0.001), (0.2, 0.001)) == ["", "best", ""]
    assert marks(OVERLAP, (0.9, 0.001), (0.5, 0.001)) == ["", "best"]
    assert marks(difference(TOP_1), (0.9, 0.001), (0.5, 0.001)) == ["", ""]
    assert marks(TOP_1, (0.9, 0.001), (0.5, np.ones(30))) == ["", ""]  # of other clips


def test_wide_intervals_that_move_together_do_not_hide_a_difference():
    together = 0.01 * np.random.default_rng(0).normal(size=60)
    apart = 0.0005 * np.random.default_rng(1).normal(size=60)
    assert marks(TOP_1, (0.8, 0.8 + together), (0.78, 0.78 + together + apart)) == ["best", ""]


def test_intervals_of_few_groups_are_marked():
    rows = ROWS.copy()
    rows.loc[rows["model"] == "b_1", "interval"] = "jackknife, few groups"
    laid = list(lay_out(rows).rows())
    assert [row["cells"][0]["few"] for row in laid] == [False, False, False, True, False, False]
    assert laid[1]["cells"][0]["mark"] == "best"


@pytest.mark.parametrize("k", [2, 5, 40])
def test_random_prompts_have_no_winner(k):
    """Scores that know nothing: the best of many is marked alone in few of 200 runs."""
    rng = np.random.default_rng(k)
    alone = 0
    for _ in range(200):
        right = rng.random((k, 300)) < 0.2
        sums = right.reshape(k, 60, 5).sum(axis=2)
        replicates = np.empty((k, 1), dtype=object)
        for row in range(k):
            replicates[row, 0] = (sums[row].sum() - sums[row]) / 295
        value = right.mean(axis=1)[:, None]
        found = mark_best(value, replicates, np.full((k, 1), 300), ["larger"], 0.05)
        alone += bool(found.any())
    assert alone / 200 <= 0.08  # .05 and twice the deviation of 200 runs


def test_csv_reads_back_as_the_tidy_numbers():
    found = pd.read_csv(io.StringIO(export.as_csv(lay_out(ROWS))))
    for row in ROWS.itertuples():
        own = found[(found["dataset"] == row.dataset) & (found["model"] == row.model)]
        own = own[own["prompt"] == row.prompt]
        for end, wanted in (("", row.value), ("_low", row.ci_low), ("_high", row.ci_high)):
            value = own[f"{row.metric}{end}"].item()
            assert value == wanted or (math.isnan(value) and math.isnan(wanted))


def test_latex_is_escaped_bold_and_balanced():
    text = export.latex(lay_out(ROWS), "50% & more", "tab:x")
    assert text.startswith("\\begin{table}\n\\centering\n")
    assert r"\caption{50\% \& more}" in text and r"b\_1" in text
    assert r"\textbf{0.900} {\scriptsize [0.800, 0.950]}" in text
    body = text[text.index(r"\midrule") : text.index(r"\bottomrule")]
    assert {line.count("&") for line in body.splitlines() if "&" in line} == {4}
    assert text.count("{") == text.count("}")


#: Commands of LaTeX itself and of booktabs that a table may use, and characters that it may escape.
LATEX = set(
    "begin end centering caption label toprule midrule bottomrule textbf scriptsize".split()
)
LATEX |= {"textbackslash", "textasciitilde", "textasciicircum", *"\\&%$#_{}"}


def latex_problems(text):
    """Unknown commands, unbalanced groups and characters that have to be escaped."""
    problems, open_groups = [], []
    tokens = re.finditer(r"\\(begin|end)\{(\w+)\}|\\([a-z]+|.)|\$[^$]*\$|[{}$%#_^~]", text)
    for token in tokens:
        kind, environment, command = token.groups()
        if command is not None:
            problems += [token[0]] if command not in LATEX else []
        elif kind == "begin" or token[0] == "{":
            open_groups.append(environment)
        elif kind == "end" or token[0] == "}":
            if not open_groups or open_groups.pop() != environment:
                problems.append(token[0])
        elif len(token[0]) == 1:
            problems.append(token[0])
    return problems + open_groups


def test_latex_is_well_formed_whatever_the_text():
    rows = ROWS.assign(model=ROWS["model"].str.replace("a", "~a~ {x}^2 \\b #1 $ \u2032"))
    text = export.latex(lay_out(rows), "50% & ~more~ {x}^2", "tab:x")
    assert r"\{x\}\textasciicircum{}2 \textbackslash{}b \#1 \$ $'$" in text
    assert latex_problems(text) == []


@pytest.mark.parametrize(
    "text",
    ["50%", "a_b", "x^2", "~", "#1", "$", "{", "}", r"\unknown", r"\begin{table}", r"\end{table}",
     r"\begin{table} { \end{table} }"],
)  # fmt: skip
def test_latex_that_would_not_compile_is_recognised(text):
    assert latex_problems(text)


def test_rows_say_what_the_page_shows():
    chance, first, *_ = lay_out(ROWS).rows()
    assert chance["chance"] and not first["chance"]
    assert first["cells"][0] == {
        "value": 0.9,
        "low": 0.8,
        "high": 0.95,
        "mark": "best",
        "few": False,
    }
    assert len(list(lay_out(ROWS).rows(2))) == 2


def test_published_numbers_stand_beside_ours_computed_ones_first():
    verdicts = ["not computed: not released", "differs: another reading: two"]
    paper = pd.DataFrame(
        {
            "system": "S", "task": "zero_shot", "space": "joint", "prompt": [None, "track"],
            "metric": "top_1", "published": [0.8, 0.2], "ours": [NAN, 0.5], "ci_low": [NAN, 0.4],
            "ci_high": [NAN, 0.6], "delta": [NAN, 0.3], "verdict": verdicts,
        }
    )  # fmt: skip
    table = compared_with_paper(paper)
    assert [key[-3:] for key in table.keys] == [
        ("track", "differs", "top_1"),
        ("", "not computed", "top_1"),
    ]
    np.testing.assert_array_equal(table.value, [[0.2, 0.5, 0.3], [0.8, NAN, NAN]])
    np.testing.assert_array_equal(table.low, [[NAN, 0.4, NAN], [NAN, NAN, NAN]])
    assert not table.mark.any() and not table.chance.any()


ZERO_SHOT = read_tasks({"zero_shot": {}})


def test_model_index_is_read_by_the_hub_library():
    index = json.loads(json.dumps(model_index(ROWS, "a", ZERO_SHOT)["model-index"]))
    name, results = model_index_to_eval_results(index)
    assert name == "a" and len(results) == 5
    found = {(one.dataset_name, one.metric_name): one.metric_value for one in results}
    assert found["d", "top_1 (joint, p, published)"] == 0.9
    assert results[0].metric_args["ci_high"] == 0.95 and results[0].metric_type == "accuracy"
    assert results[0].task_type == "zero-shot-audio-classification"


def test_model_index_leaves_undefined_values_out():
    rows = tidy(("d", "a", "p", "roc_auc_macro", NAN, NAN, NAN, NAN))
    assert model_index(rows, "a", ZERO_SHOT)["model-index"][0]["results"] == []


def test_model_index_has_results_of_the_model_and_not_of_chance_or_other_tasks():
    rows = [ROWS, *(ROWS.assign(task=name) for name in ("chance_by_permutation", "triplets"))]
    assert model_index(pd.concat(rows), "a", ZERO_SHOT) == model_index(ROWS, "a", ZERO_SHOT)


def test_model_index_has_tasks_and_metrics_that_the_hub_has_no_name_for():
    rows = tidy(("d", "a", "p", "accuracy", 0.9, NAN, NAN, 0.5)).assign(task="triplets")
    (found,) = model_index(rows, "a", read_tasks({"triplets": {}}))["model-index"][0]["results"]
    assert found["task"] == {"type": "other", "name": "triplets"}
    (metric,) = found["metrics"]
    assert metric["value"] == 0.9 and "ci_low" not in metric["args"]
