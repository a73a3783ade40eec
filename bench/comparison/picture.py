"""The table as a picture: for each row, what each proxy costs in shares of what HAProxy costs."""

from pathlib import Path

from .results import NAMES, Summary

COLOURS = {"stanzagate": "#1b6ca8", "haproxy": "#b8b8b8", "nginx": "#8a9a7b"}


def draw(summaries: list[Summary], caption: str, path: Path) -> bool:
    """False: there is no matplotlib here."""
    try:
        import matplotlib
        matplotlib.use("Agg")
        from matplotlib import pyplot
    except ImportError:
        return False
    shown = [one for one in summaries
             if {"stanzagate", "haproxy"} <= one.figures.keys()
             and one.figures["haproxy"].middle > 0]
    if not shown:
        return True
    figure, axes = pyplot.subplots(figsize=(10, 1.2 + 0.62 * len(shown)))
    height = 0.26
    for place, name in enumerate(COLOURS):
        for number, one in enumerate(shown):
            if name not in one.figures:
                continue
            spread, whole = one.figures[name], one.figures["haproxy"].middle
            at = number + (place - 1) * height
            axes.barh(at, max(spread.middle, 0) / whole, height * 0.92, color=COLOURS[name],
                      label=NAMES[name] if number == 0 else None,
                      xerr=[[max(0, spread.middle - spread.least) / whole],
                            [max(0, spread.most - spread.middle) / whole]],
                      error_kw={"ecolor": "#444444", "elinewidth": 0.8})
            axes.text(0.005, at, f"{spread.middle:.{one.row.digits}f}", va="center", fontsize=7,
                      color="white" if name == "stanzagate" else "black")
    for number, one in enumerate(shown):
        target = one.row.to_haproxy
        if one.row.at_most is not None:
            target = one.row.at_most / one.figures["haproxy"].middle
        if target is not None:
            axes.plot([target] * 2, [number - 0.45, number + 0.45], color="#c0392b", linewidth=1.5,
                      label="target" if number == 0 else None)
    axes.set_yticks(range(len(shown)), [f"{one.row.title}\n{one.row.unit}" for one in shown],
                    fontsize=8)
    axes.set_ylim(len(shown) - 0.5, -0.5)
    axes.set_xlim(left=0)
    axes.set_xlabel("cost, where HAProxy's is 1 (medians; lines from the least to the most); "
                    "less is better", fontsize=8)
    axes.set_title(caption, fontsize=8, loc="left")
    axes.legend(fontsize=8, ncols=4, frameon=False, loc="upper center",
                bbox_to_anchor=(0.4, -1.1 / len(shown)))
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    return True
