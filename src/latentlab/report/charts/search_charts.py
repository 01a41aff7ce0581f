"""Charts of a search: its history, the importance of keys, trials on parallel axes, the trade-off of objectives."""

from itertools import accumulate

from markupsafe import Markup

from latentlab.report.charts.axes import BOTTOM, LEFT, RIGHT, TOP, WIDTH, chart, dot
from latentlab.report.charts.parallel import MAX_AXES, Strand, parallel
from latentlab.report.charts.placing import names_beside
from latentlab.report.charts.scales import counts, span, typical
from latentlab.report.charts.svg import box, clipped, drawing, path, tag, words
from latentlab.report.reading.groups import ABSENT
from latentlab.report.reading.trials import Search, Trial
from latentlab.report.statistics.intervals import Better
from latentlab.report.statistics.measures import ARROWS, Measure

MAX_BARS = 12
MAX_STRANDS = 400
MAX_NAMED = 12
BAR_HEIGHT = 22.0
FOOT = BOTTOM - 6
# of trials without a value, drawn at the foot of the history: {status: path}
MARKS = {"pruned": "m0 -4v8", "failed": "m-3 -3l6 6m0 -6l-6 6"}


def search_charts(search: Search) -> list[Markup]:
    """The charts of the usual size; none with fewer than two complete trials."""
    if len(search.complete) < 2:
        return []
    charts = [_trade(search)] if len(search.objectives) > 1 else []
    for index, (name, better) in enumerate(search.objectives.items()):
        charts.append(_history(search, index, name, better))
        if search.importance[name]:
            charts.append(_importance(search, name))
    return charts


def parallel_charts(search: Search) -> list[Markup]:
    """The complete trials on parallel axes, a wide chart per objective; none with fewer than two of them."""
    if len(search.complete) < 2:
        return []
    return [_parallel(search, index, *objective) for index, objective in enumerate(search.objectives.items())]


def _headline(name: str, better: Better) -> str:
    return f"{clipped(name, RIGHT - LEFT)} {ARROWS[better]}"


def _history(search: Search, index: int, name: str, better: Better) -> Markup:
    done = search.complete
    values = [trial.values[index] for trial in done]
    best = list(accumulate(values, min if better == "lower" else max))
    x = counts([trial.number for trial in search.trials], LEFT, RIGHT)
    y = span([*typical(values), best[-1]], FOOT - 12, TOP)
    across, up = [x.pixel(trial.number) for trial in done], [y.inner_pixel(value) for value in best]
    corners = [(across[0], up[0])]
    for pixel, before, after in zip(across[1:], up, up[1:], strict=False):
        if after != before:
            corners += [(pixel, before), (pixel, after)]
    marks = [path([*corners, (x.pixel(search.trials[-1].number), up[-1])], "step", "best so far")]
    for trial in search.trials:
        if trial.status in MARKS:
            title = f"trial {trial.number}: {trial.status}; {search.drawn(trial)}"
            d = f"M{x.pixel(trial.number):.1f} {FOOT:.1f}{MARKS[trial.status]}"
            marks.append(tag("path", title=title, d=d, class_=f"mark {trial.status}"))
    for trial, value in zip(done, values, strict=True):
        class_, radius = ("dot s1", 4.5) if value == best[-1] else ("dot s0", 3.0)
        marks.append(dot(x.pixel(trial.number), y.inner_pixel(value), class_, search.described(trial), radius))
    label = f"{name} by trial, {len(done)} complete of {len(search.trials)}"
    return chart(label, _headline(name, better), x, y, "trial", *marks)


def _importance(search: Search, name: str) -> Markup:
    importance = sorted(search.importance[name].items(), key=lambda pair: (-pair[1], pair[0]))[:MAX_BARS]
    labels = [clipped(search.labels.get(key, key), 130) for key, _ in importance]
    left = 14 + min(130.0, max(6.0 * len(label) for label in labels))
    longest = max(fraction for _, fraction in importance) or 1.0
    marks = [words(6, 14, f"importance for {clipped(name, 220)}", "title")]
    for k, ((key, fraction), label) in enumerate(zip(importance, labels, strict=True)):
        top, percent = 26 + BAR_HEIGHT * k, f"{100 * fraction:.1f} %"
        width = max(1.0, (WIDTH - left - 52) * fraction / longest)
        marks.append(words(left - 6, top + 12, label, "ink", "end"))
        marks.append(box(left, top, width, BAR_HEIGHT - 6, "bar", f"{key}: {percent}"))
        marks.append(words(left + width + 6, top + 12, percent, "ink"))
    label = f"Importance for {name} of {len(importance)} keys"
    return drawing(WIDTH, 34 + BAR_HEIGHT * len(importance), label, *marks)


def _parallel(search: Search, index: int, name: str, better: Better) -> Markup:
    done = sorted(search.complete, key=lambda trial: search.cost(trial, index))[:MAX_STRANDS]
    keys = sorted(search.labels, key=lambda key: -search.importance[name].get(key, 0.0))[:MAX_AXES]
    strands = []
    for trial in done:
        settings = [trial.params.get(key, ABSENT) for key in keys]
        is_best = trial.number in search.best_numbers
        described = search.described(trial)
        strands.append(Strand(settings, trial.values[index], described, f"trial {trial.number}", is_best))
    of = "trials" if len(done) == len(search.complete) else f"best trials of {len(search.complete)}"
    names = {key: search.labels[key] for key in keys}
    return parallel(_headline(name, better), names, Measure(name, name, better=better), strands, of)


def _trade(search: Search) -> Markup:
    """The first two objectives against each other; their Pareto front is joined."""
    done, front = search.complete, search.front((0, 1))
    x, y = (
        span([*typical([t.values[k] for t in done]), *(t.values[k] for t in front)], *ends)
        for k, ends in enumerate([(LEFT, RIGHT), (BOTTOM, TOP)])
    )

    def at(trial: Trial) -> tuple[float, float]:
        across, up = trial.values[:2]
        return x.inner_pixel(across), y.inner_pixel(up)

    marks = [path([at(trial) for trial in front], "step", "dominated by no other trial")]
    for trial in sorted(done, key=lambda trial: trial.number in search.best_numbers):
        class_, radius = ("dot s1", 4.0) if trial.number in search.best_numbers else ("dot other", 3.0)
        marks.append(dot(*at(trial), class_, search.described(trial), radius))
    if len(front) <= MAX_NAMED:
        marks += names_beside([(*at(trial), str(trial.number)) for trial in front])
    (first, across), (second, up) = list(search.objectives.items())[:2]
    label = f"{second} against {first}, {len(done)} trials"
    return chart(label, _headline(second, up), x, y, _headline(first, across), *marks)
