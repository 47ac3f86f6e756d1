"""Every workaround names its report in `docs/upstream.md`, and every report a workaround."""

import re


def test_headings_and_the_code_that_names_them_agree(repository):
    report = (repository / "docs" / "upstream.md").read_text("utf-8")
    headings = set(re.findall(r"^## (.+)$", report, re.MULTILINE))
    named = {
        heading
        for folder, files in (("listenread", "*.py"), ("rules", "*.smk"))
        for path in (repository / folder).rglob(files)
        for heading in re.findall(r'docs/upstream\.md, "(.+)"', path.read_text("utf-8"))
    }
    assert len(headings) >= 1
    assert named == headings
