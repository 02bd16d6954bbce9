"""A search as rows of text: one for each candidate, the same for terminal, HTML and docs."""

from dataclasses import dataclass

from edgekit_converters.search.candidate import Candidate, Judged, describe_cost
from edgekit_converters.search.goal import Goal
from edgekit_converters.search.search import SearchResult

HEAD = ("candidate", "score", "drop (points)", "agreement", "size", "cost", "verdict", "why")


@dataclass(frozen=True)
class Row:
    """One candidate in words. What was not measured is a dash.

    Attributes:
        cells: under `HEAD`.
        is_chosen: whether this one is packed.
    """

    cells: tuple[str, ...]
    is_chosen: bool


def rows(result: SearchResult) -> list[Row]:
    """The model that came first, then candidates in the order tried; `not_tried` has the rest."""
    tried = [each for each in result.candidates if each.verdict != "not tried"]
    return [_row(each) for each in (result.baseline, *tried)]


def not_tried(result: SearchResult) -> list[str]:
    """Recipes that make no sense here, with the reason: one line for each reason."""
    names: dict[str, list[str]] = {}
    for each in result.candidates:
        if each.verdict == "not tried":
            names.setdefault(each.why, []).append(each.recipe.name)
    return [f"Not tried: {', '.join(each)}: {why}." for why, each in names.items()]


def _row(candidate: Candidate) -> Row:
    judged = candidate.judged
    is_reference = candidate.recipe.precision == "as-is"
    cells = (
        candidate.recipe.name,
        _score(candidate),
        _drop(judged) if not is_reference else "–",
        _agreement(judged) if not is_reference else "–",
        _size(candidate.size_bytes),
        describe_cost(candidate.cost) if candidate.cost else "–",
        candidate.verdict,
        _why(candidate),
    )
    return Row(cells, candidate.verdict == "chosen")


def _why(candidate: Candidate) -> str:
    return f"{candidate.why} ({candidate.note})" if candidate.note else candidate.why


def _score(candidate: Candidate) -> str:
    if candidate.judged is None:
        return "–"
    where = "" if candidate.evaluation is not None else " (calib.)"
    return f"{candidate.judged.score:.4f}{where}"


def _drop(judged: Judged | None) -> str:
    if judged is None:
        return "–"
    drop = judged.drop
    return f"{drop.point * 100:z.2f} [{drop.low * 100:z.2f}, {drop.high * 100:z.2f}]"


def _agreement(judged: Judged | None) -> str:
    if judged is None or judged.drop.agreement is None:
        return "–"
    return f"{judged.drop.agreement:.1%}"


def _size(size_bytes: int | None) -> str:
    if size_bytes is None:
        return "–"
    return f"{size_bytes / 1e6:.2f} MB" if size_bytes >= 1e5 else f"{size_bytes / 1e3:.1f} kB"


def summary(result: SearchResult) -> list[str]:
    """What was found, how sure it is, and what was looked at, in sentences."""
    chosen, job = result.chosen, result.job
    lines = [f"Chosen: {chosen.recipe.name}. {_capital(chosen.why)}."]
    if chosen.evaluation is not None and chosen.recipe.precision != "as-is":
        lines.append(_certainty(chosen.evaluation, job.goal))
    lines.append(
        f"The evaluation split was shown to {_looks(result.looks)}; ranges and comparisons come "
        f"from {result.calibration.samples} calibration samples."
    )
    if result.front:
        names = ", ".join(each.recipe.name for each in result.front)
        lines.append(f"Beaten by none in both cost and drop (the Pareto front): {names}.")
    lines += _measured(result)
    lines += not_tried(result)
    if job.target.saturates:
        lines.append(
            f"{job.target.name} has no VNNI: int8 weights use 7 bits, or sums of products would "
            "saturate. Figures with 8 bits from another CPU do not hold here."
        )
    return lines


def _measured(result: SearchResult) -> list[str]:
    if not result.measured:
        return ["Cost was not measured: there is nothing to choose from."]
    costs = [each.cost for each in result.candidates if each.cost is not None]
    lines = [f"Cost: {result.measured}."]
    if costs:
        environment = costs[0].environment
        where = environment.cpu or environment.arch
        runtime = environment.versions.get("onnxruntime", "unknown")
        lines.append(f"Measured on {where} with onnxruntime {runtime}; it holds for no other.")
    if result.unfinished:
        lines.append(f"The search is not complete: {result.unfinished}.")
    return lines


def _looks(looks: int) -> str:
    found = {0: "no candidate", 1: "one candidate"}.get(looks, f"{looks} candidates")
    return found if looks < 2 else f"{found}, and the bound is not widened for that"


def _certainty(judged: Judged, goal: Goal) -> str:
    """The bound; where it lies over the limit, by what the candidate was chosen."""
    drop, limit = judged.drop, goal.max_drop
    bound = f"The drop is at most {drop.upper * 100:.2f} points with 95 % confidence"
    told = f"{bound} ({drop.samples} samples in {drop.groups} groups, {drop.method})"
    if drop.upper <= limit:
        return f"{told}: within the limit of {limit * 100:g}."
    told += f": over the limit of {limit * 100:g}"
    if drop.point <= limit:
        told += f", which its estimate of {drop.point * 100:z.2f} keeps"
        told += "; --certify asks the bound, as the gate does"
    if drop.samples_to_settle is None:
        return f"{told}."
    return f"{told}; about {drop.samples_to_settle} samples would settle it."


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
