"""The tables of the report: layout, marks, LaTeX and csv, model-index."""

import io
import json
import math
import subprocess

import numpy as np
import pandas as pd
import pytest
from huggingface_hub.repocard_data import model_index_to_eval_results

from listenread.report import export
from listenread.report.model_index import model_index
from listenread.report.wide import MARKS, mark_best, widen

NAN = float("nan")


def tidy(*rows):
    columns = ["dataset", "model", "prompt", "metric", "value", "ci_low", "ci_high", "chance"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(task="zero_shot", space="joint", protocol="published", n=10)


ROWS = tidy(
    ("d", "a", "p", "top_1", 0.9, 0.8, 0.95, 0.25),
    ("d", "a", "p", "f1_macro", 0.5, 0.4, 0.6, 0.2),
    ("d", "a", "q", "top_1", 0.3, 0.2, 0.4, 0.25),
    ("d", "a", "q", "f1_macro", 0.45, 0.35, 0.55, 0.2),
    ("d", "b_1", "p", "top_1", 0.5, 0.4, 0.6, 0.25),
    ("e", "a", "p", "top_1", 0.7, NAN, NAN, 0.5),
)
KEYS = ("dataset", "model", "prompt")


def test_rows_metrics_and_chance_are_where_they_belong():
    table = widen(ROWS, KEYS, ("dataset",))
    assert table.key_names == KEYS and table.metrics == ("top_1", "f1_macro")
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
    assert widen(rows, KEYS, ("dataset",)).key_names == ("prompt",)


def test_chance_that_differs_within_a_group_is_not_stated():
    rows = tidy(
        ("d", "a", "p", "top_1", 0.9, 0.8, 1, 0.1), ("d", "a", "q", "top_1", 0.9, 0.8, 1, 0.2)
    )
    assert not widen(rows, KEYS, ("dataset",)).chance.any()


def test_an_empty_table_has_no_rows():
    assert len(widen(ROWS[:0], KEYS, ("dataset",))) == 0


def marks(metric, *cells):
    value, low, high = (np.array([[cell[i]] for cell in cells], float) for i in range(3))
    return [MARKS[mark] for mark in mark_best(value, low, high, [metric])[:, 0]]


def test_the_best_is_marked_only_as_far_as_intervals_allow():
    assert marks("top_1", (0.9, 0.8, 1), (0.5, 0.4, 0.6)) == ["best", ""]
    assert marks("top_1", (0.9, 0.8, 1), (0.5, 0.4, 0.85), (0.1, 0, 0.2)) == [
        "among the best",
        "among the best",
        "",
    ]
    assert marks("top_1", (0.9, 0.4, 1), (0.5, 0.4, 0.85)) == ["", ""]  # all overlap
    assert marks("top_1", (0.9, NAN, NAN), (0.5, 0.4, 0.6)) == ["", ""]  # nothing to compare with
    assert marks("top_1", (NAN, NAN, NAN), (0.5, 0.4, 0.6), (0.2, 0.1, 0.3)) == ["", "best", ""]
    assert marks("overlap", (0.9, 0.8, 1), (0.5, 0.4, 0.6)) == ["", "best"]
    assert marks("top_1_difference", (0.9, 0.8, 1), (0.5, 0.4, 0.6)) == ["", ""]


def test_csv_reads_back_as_the_tidy_numbers():
    found = pd.read_csv(io.StringIO(export.as_csv(widen(ROWS, KEYS, ("dataset",)))))
    for row in ROWS.itertuples():
        own = found[(found["dataset"] == row.dataset) & (found["model"] == row.model)]
        own = own[own["prompt"] == row.prompt]
        for end, wanted in (("", row.value), ("_low", row.ci_low), ("_high", row.ci_high)):
            value = own[f"{row.metric}{end}"].item()
            assert value == wanted or (math.isnan(value) and math.isnan(wanted))


def test_latex_is_escaped_bold_and_balanced():
    text = export.latex(widen(ROWS, KEYS, ("dataset",)), "50% & more", "tab:x")
    assert r"\caption{50\% \& more}" in text and r"b\_1" in text
    assert r"\textbf{0.900} {\scriptsize [0.800, 0.950]}" in text
    body = text[text.index(r"\midrule") : text.index(r"\bottomrule")]
    assert {line.count("&") for line in body.splitlines() if "&" in line} == {4}
    assert text.count("{") == text.count("}")


def test_latex_compiles_where_latex_is(tmp_path):
    document = "\\documentclass{article}\\usepackage{booktabs}\\begin{document}"
    table = export.latex(widen(ROWS, KEYS, ("dataset",)), "50% & ~more~ {x}^2", "tab:x")
    (tmp_path / "table.tex").write_text(f"{document}{table}\\end{{document}}")
    try:
        done = subprocess.run(
            ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "table.tex"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
    except FileNotFoundError:
        pytest.skip("pdflatex is not installed")
    assert done.returncode == 0, done.stdout[-2000:]


def test_model_index_is_read_by_the_hub_library():
    index = json.loads(json.dumps(model_index(ROWS, "a")["model-index"]))
    name, results = model_index_to_eval_results(index)
    assert name == "a" and len(results) == 5
    found = {(one.dataset_name, one.metric_name): one.metric_value for one in results}
    assert found["d", "top_1 (joint, p, published)"] == 0.9
    assert results[0].metric_args["ci_high"] == 0.95 and results[0].metric_type == "accuracy"


def test_model_index_leaves_undefined_values_out():
    rows = tidy(("d", "a", "p", "roc_auc_macro", NAN, NAN, NAN, NAN))
    assert model_index(rows, "a")["model-index"][0]["results"] == []
