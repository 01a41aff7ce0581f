"""Charts of a search: its history, the importance of keys, trials on parallel axes, the trade-off of objectives."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import final

from markupsafe import Markup

from latentlab.report.charts.axes import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, dot, frame
from latentlab.report.charts.parallel import MAX_AXES, Strand, parallel
from latentlab.report.charts.placing import names_beside
from latentlab.report.charts.scales import NumberAxis, counts, span, typical
from latentlab.report.charts.svg import clipped, drawing, path, tag, words
from latentlab.report.reading.groups import ABSENT
from latentlab.report.reading.trials import Search, Trial
from latentlab.report.statistics.intervals import Better

MAX_BARS = 12
MAX_STRANDS = 400
MAX_NAMED = 12
BAR_HEIGHT = 22.0
FOOT = BOTTOM - 6
ARROWS: dict[Better, str] = {"lower": "↓", "higher": "↑"}
# trials without a value are drawn at the foot of the history: {state: (mark, status)}
MARKS = {"pruned": ("v8", "pruned"), "fail": ("m-3 -3l6 6m0 -6l-6 6", "failed")}


@final
@dataclass(frozen=True)
class SearchCharts:
    """plain: of the usual size. wide: those that scroll."""

    plain: tuple[Markup, ...]
    wide: tuple[Markup, ...]


def draw_search(search: Search) -> SearchCharts:
    """The charts of a search; none with fewer than two complete trials."""
    if len(search.complete) < 2:
        return SearchCharts((), ())
    several = len(search.objectives) > 1
    plain = [_trade(search)] if several else []
    for index, name in enumerate(search.objectives):
        plain.append(_history(search, index))
        if name in search.importance:
            plain.append(_importance(search, name))
    return SearchCharts(tuple(plain), tuple(_parallel(search, index) for index in range(len(search.objectives))))


def _headline(search: Search, index: int) -> str:
    name, better = list(search.objectives.items())[index]
    return f"{clipped(name, RIGHT - LEFT)} {ARROWS[better]}"


def _history(search: Search, index: int) -> Markup:
    done = search.complete
    values = [trial.values[index] for trial in done]
    pick = min if list(search.objectives.values())[index] == "lower" else max
    best = list(accumulate(values, pick))
    x = counts([trial.number for trial in search.trials], LEFT, RIGHT)
    y = span([*typical(values), best[-1]], FOOT - 12, TOP)
    marks = [frame(_headline(search, index), x, y, "trial")]
    marks.append(path(_steps([t.number for t in done], best, search.trials[-1].number, x, y), "step", "best so far"))
    for trial in search.trials:
        if trial.state in MARKS:
            mark, status = MARKS[trial.state]
            title = f"trial {trial.number}: {status}; {search.drawn(trial)}"
            d = f"M{x.pixel(trial.number):.1f} {FOOT - 4 * (trial.state == 'pruned'):.1f}{mark}"
            marks.append(tag("path", tag("title", title), d=d, class_=f"mark {status}"))
    for trial, value in zip(done, values, strict=True):
        class_, radius = ("dot s1", 4.5) if value == best[-1] else ("dot s0", 3.0)
        up = y.inner_pixel(value)
        marks.append(dot(x.pixel(trial.number), up, class_, search.described(trial), radius))
    label = f"{list(search.objectives)[index]} by trial, {len(done)} complete of {len(search.trials)}"
    return drawing(WIDTH, HEIGHT, label, *marks)


def _steps(
    numbers: Sequence[int], best: Sequence[float], last: int, x: NumberAxis, y: NumberAxis
) -> list[tuple[float, float]]:
    """The corners of the line that goes down, or up, with each better trial."""
    ups = [y.inner_pixel(value) for value in best]
    points = [(x.pixel(numbers[0]), ups[0])]
    for k in range(1, len(numbers)):
        if best[k] != best[k - 1]:
            points += [(x.pixel(numbers[k]), ups[k - 1]), (x.pixel(numbers[k]), ups[k])]
    return [*points, (x.pixel(last), ups[-1])]


def _importance(search: Search, name: str) -> Markup:
    importance = sorted(search.importance[name].items(), key=lambda pair: (-pair[1], pair[0]))[:MAX_BARS]
    labels = [clipped(search.label(key), 130) for key, _ in importance]
    left = 14 + min(130.0, max(6.0 * len(label) for label in labels))
    longest = max(fraction for _, fraction in importance) or 1.0
    marks = [words(6, 14, f"importance for {clipped(name, 220)}", "title")]
    for k, ((key, fraction), label) in enumerate(zip(importance, labels, strict=True)):
        top = 26 + BAR_HEIGHT * k
        width = max(1.0, (WIDTH - left - 52) * fraction / longest)
        marks.append(words(left - 6, top + 12, label, "ink", "end"))
        title = tag("title", f"{key}: {100 * fraction:.1f} %")
        marks.append(tag("rect", title, x=left, y=top, width=width, height=BAR_HEIGHT - 6, class_="bar"))
        marks.append(words(left + width + 6, top + 12, f"{100 * fraction:.1f} %", "ink"))
    label = f"Importance for {name} of {len(importance)} keys"
    return drawing(WIDTH, 34 + BAR_HEIGHT * len(importance), label, *marks)


def _parallel(search: Search, index: int) -> Markup:
    name, better = list(search.objectives.items())[index]
    done = sorted(search.complete, key=lambda trial: search.cost(trial, index))[:MAX_STRANDS]
    importance = search.importance.get(name, {})
    keys = sorted(search.keys, key=lambda key: -importance.get(key, 0.0))[:MAX_AXES]
    best = {trial.number for trial in search.best()}
    strands = [
        Strand([t.params.get(key, ABSENT) for key in keys], t.values[index], search.described(t), t.number in best)
        for t in done
    ]
    of = "trials" if len(done) == len(search.complete) else f"best trials of {len(search.complete)}"
    return parallel(_headline(search, index), [search.label(key) for key in keys], name, strands, better, of)


def _trade(search: Search) -> Markup:
    """The first two objectives against each other; their Pareto front is joined."""
    done, best = search.complete, search.front((0, 1))
    x, y = (
        span([*typical([t.values[k] for t in done]), *(t.values[k] for t in best)], *ends)
        for k, ends in enumerate([(LEFT, RIGHT), (BOTTOM, TOP)])
    )

    def at(trial: Trial) -> tuple[float, float]:
        across, up = trial.values[:2]
        return x.inner_pixel(across), y.inner_pixel(up)

    marks = [frame(_headline(search, 1), x, y, _headline(search, 0))]
    marks.append(path([at(trial) for trial in best], "step", "dominated by no other trial"))
    numbers = {trial.number for trial in search.best()}
    marks += [dot(*at(t), "dot other", search.described(t), 3.0) for t in done if t.number not in numbers]
    marks += [dot(*at(t), "dot s1", search.described(t)) for t in done if t.number in numbers]
    if len(best) <= MAX_NAMED:
        marks += names_beside([(*at(trial), str(trial.number)) for trial in best])
    first, second = list(search.objectives)[:2]
    return drawing(WIDTH, HEIGHT, f"{second} against {first}, {len(done)} trials", *marks)
