import pytest

from edgekit.errors import StorageError
from edgekit.gate.github import SUMMARY_BYTES, annotations, append_summary, fitting, is_github
from edgekit.gate.verdict import Outcome, Verdict


def verdicts(outcome, count):
    return [Verdict(f"latency.p{n}_ms", outcome, 1.0, "ms", f"reason {n}") for n in range(count)]


def test_only_github_actions_is_github():
    assert is_github({"GITHUB_ACTIONS": "true"})
    assert not is_github({"GITHUB_ACTIONS": ""})
    assert not is_github({"CI": "true"})


def test_a_failure_is_an_error_and_what_is_open_a_warning():
    (failed,) = annotations("m.edgekit", verdicts(Outcome.FAIL, 1))
    (unclear,) = annotations("m.edgekit", verdicts(Outcome.INCONCLUSIVE, 1))
    assert failed == "::error title=m.edgekit%3A latency.p0_ms FAIL::reason 0"
    assert unclear.startswith("::warning title=")
    assert annotations("m.edgekit", verdicts(Outcome.PASS, 3)) == []


def test_there_are_at_most_ten_annotations_failures_first_and_the_last_counts_the_rest():
    lines = annotations("m", verdicts(Outcome.INCONCLUSIVE, 9) + verdicts(Outcome.FAIL, 3))
    assert len(lines) == 10
    assert [line.split()[0] for line in lines[:4]] == ["::error", "::error", "::error", "::warning"]
    assert "3 more limits are not kept" in lines[-1]
    assert len(annotations("m", verdicts(Outcome.FAIL, 10))) == 10


def test_no_text_of_a_model_can_start_a_command_of_its_own():
    hostile = Verdict("runs", Outcome.FAIL, None, "", "died\n::set-output name=a::b\r100 %")
    (line,) = annotations("a,b:c\n::warning::x", [hostile])
    assert "\n" not in line
    assert "\r" not in line
    assert "title=a%2Cb%3Ac%0A%3A%3Awarning" in line
    assert line.endswith("100 %25")


def test_summaries_add_up(tmp_path):
    path = tmp_path / "summary.md"
    append_summary(path, "one\n")
    append_summary(path, "two\n")
    assert path.read_text() == "one\ntwo\n"


def test_a_summary_is_cut_at_a_line_before_it_would_be_dropped(tmp_path):
    path = tmp_path / "summary.md"
    append_summary(path, "before\n")
    append_summary(path, "ein Maß für viel\n" * 80_000)
    content = path.read_bytes()
    assert len(content) <= SUMMARY_BYTES
    assert content.decode().endswith("in the gate's files)\n")
    assert "für viel\n\n\n(cut here" in content.decode()
    append_summary(path, "later\n" * 100)
    assert path.read_bytes() == content


@pytest.mark.parametrize("size", [0, 3, 90, 120, 1000])
def test_what_fits_is_never_larger_than_asked(size):
    assert len(fitting("zwölf Boxkämpfer\n" * 9, size).encode()) <= size


def test_a_summary_that_cannot_be_written_is_said(tmp_path):
    with pytest.raises(StorageError, match="job summary"):
        append_summary(tmp_path, "text")
