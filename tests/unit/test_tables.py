"""The parquet contract."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from listenread.errors import ListenreadError
from listenread.files import tables


def test_a_table_comes_back_with_what_made_it(tmp_path):
    vectors = np.arange(6, dtype=np.float32).reshape(2, 3)
    tables.write(tmp_path / "t.parquet", {"id": ["a", "b"], "v": tables.vectors(vectors)}, seed=3)
    data, made_by = tables.read(tmp_path / "t.parquet", ["id", "v"])
    np.testing.assert_array_equal(tables.to_numpy(data["v"]), vectors)
    assert data["v"].type == pa.list_(pa.float32(), 3)
    assert made_by["seed"] == 3 and "listenread_version" in made_by


def test_slices_and_empty_columns_keep_their_shape(tmp_path):
    vectors = np.random.default_rng(0).normal(size=(10, 4)).astype(np.float32)
    table = pa.table({"v": tables.vectors(vectors)})
    np.testing.assert_array_equal(tables.to_numpy(table.slice(3, 4)["v"]), vectors[3:7])
    assert tables.to_numpy(table.slice(0, 0)["v"]).shape == (0, 4)


def test_the_same_content_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        tables.write(tmp_path / f"{name}.parquet", {"x": [1, 2]}, b=1, a=2)
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "t.parquet"
    tables.write(path, {"x": [1]})
    before = path.read_bytes()

    def half(writer, table):
        raise OSError("disk full")

    monkeypatch.setattr(tables.pq.ParquetWriter, "write_table", half)
    with pytest.raises(OSError, match="disk full"):
        tables.write(path, {"x": [2]})
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_files_that_are_not_ours_are_refused_in_words(tmp_path):
    (tmp_path / "text.parquet").write_text("no parquet")
    with pytest.raises(ListenreadError, match=r"text\.parquet cannot be read"):
        tables.read(tmp_path / "text.parquet")
    pq.write_table(pa.table({"x": [1]}), tmp_path / "foreign.parquet")
    with pytest.raises(ListenreadError, match="was not written by listenread"):
        tables.read(tmp_path / "foreign.parquet")
    tables.write(tmp_path / "t.parquet", {"x": [1]})
    with pytest.raises(ListenreadError, match=r"misses the column\(s\) y"):
        tables.read(tmp_path / "t.parquet", ["x", "y"])


def test_an_unavailable_table_says_why_and_needs_no_columns(tmp_path):
    tables.write_unavailable(tmp_path / "t.parquet", "not released")
    assert tables.read(tmp_path / "t.parquet", ["x"]).unavailable == "not released"


def test_parts_of_any_size_give_the_same_file(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "ROW_GROUP", 8)
    rows = pa.table({"x": np.arange(30), "v": tables.vectors(np.ones((30, 2)))})
    tables.write(tmp_path / "whole.parquet", rows, seed=1)
    for size in (1, 5, 8, 29):
        with tables.writing(tmp_path / "parts.parquet", seed=1) as writer:
            for start in range(0, 30, size):
                writer.add(rows.slice(start, size))
        same = (tmp_path / "parts.parquet").read_bytes() == (
            tmp_path / "whole.parquet"
        ).read_bytes()
        assert same, size
    assert pq.ParquetFile(tmp_path / "whole.parquet").num_row_groups == 4


def test_a_writer_that_is_broken_off_leaves_nothing(tmp_path):
    with pytest.raises(KeyError), tables.writing(tmp_path / "t.parquet") as writer:
        writer.add({"x": [1]})
        raise KeyError
    with (
        pytest.raises(ListenreadError, match="nothing to write"),
        tables.writing(tmp_path / "t.parquet"),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_tables_one_after_the_other_are_the_whole(tmp_path):
    rows = pa.table({"x": np.arange(10)})
    tables.write(tmp_path / "whole.parquet", rows, model="a")
    shards = [tmp_path / f"{i}.parquet" for i in range(4)]
    for i, path in enumerate(shards):
        tables.write(path, rows.slice(3 * i, 3), model="a")
    tables.concatenate(shards, tmp_path / "merged.parquet")
    assert (tmp_path / "merged.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    tables.write(shards[2], rows.slice(6, 3), model="b")
    with pytest.raises(ListenreadError, match=r"2\.parquet and .*0\.parquet were not made by"):
        tables.concatenate(shards, tmp_path / "merged.parquet")
    tables.write_unavailable(shards[0], "unhealthy")
    tables.concatenate(shards, tmp_path / "merged.parquet")
    assert tables.read(tmp_path / "merged.parquet").unavailable == "unhealthy"
