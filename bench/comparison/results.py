"""From the runs of all rounds to the table."""

from dataclasses import dataclass
from statistics import median

from .rows import Row

PEERS = ("haproxy", "nginx")
NAMES = {"stanzagate": "stanzagate", "haproxy": "HAProxy", "nginx": "nginx", "none": "no proxy",
         "prosody": "Prosody"}


@dataclass(frozen=True)
class Spread:
    middle: float
    least: float
    most: float

    @staticmethod
    def of(values: list[float]) -> "Spread | None":
        return Spread(median(values), min(values), max(values)) if values else None

    def text(self, digits: int) -> str:
        return f"{self.middle:.{digits}f} ({self.least:.{digits}f}-{self.most:.{digits}f})"


class Summary:
    """One row: `rounds` are {proxy: {metric: value}}, one for each round."""

    def __init__(self, row: Row, rounds: list[dict[str, dict[str, float]]]):
        self.row = row
        self.figures = {}
        for name in NAMES:
            values = [one[name][row.metric] * row.scale for one in rounds
                      if row.metric in one.get(name, {})]
            if spread := Spread.of(values):
                self.figures[name] = spread
        # Of the same round: what disturbed the machine disturbed both.
        self.ratios = {}
        for peer in (*PEERS, "prosody"):
            ratios = [one["stanzagate"][row.metric] / one[peer][row.metric] for one in rounds
                      if one.get(peer, {}).get(row.metric) and "stanzagate" in one]
            if row.at_most is None and (spread := Spread.of(ratios)):
                self.ratios[peer] = spread

    def targets(self) -> dict[str, tuple[float, float]]:
        """What -> (figure, target)"""
        wanted = {"haproxy": self.row.to_haproxy, "nginx": self.row.to_nginx}
        found = {peer: (self.ratios[peer].middle, target) for peer, target in wanted.items()
                 if target is not None and peer in self.ratios}
        if self.row.at_most is not None and "stanzagate" in self.figures:
            found["stanzagate"] = (self.figures["stanzagate"].middle, self.row.at_most)
        return found

    def met(self) -> bool | None:
        targets = self.targets()
        return all(figure <= target for figure, target in targets.values()) if targets else None

    def verdict(self) -> str:
        return {None: "", True: "yes", False: "NO"}[self.met()]

    def cells(self) -> list[str]:
        row = self.row
        cells = [row.name, f"{row.title}, {row.unit}"]
        cells += [self.figures[name].text(row.digits) if name in self.figures else ""
                  for name in ("stanzagate", *PEERS)]
        for peer in PEERS:
            wanted = {"haproxy": row.to_haproxy, "nginx": row.to_nginx}[peer]
            text = self.ratios[peer].text(2) if peer in self.ratios else ""
            cells.append(text + (f" <= {wanted:.2f}" if wanted is not None else ""))
        others = [f"{NAMES[name]} {self.figures[name].text(row.digits)}"
                  for name in ("none", "prosody") if name in self.figures]
        if row.at_most is not None:
            others.append(f"at most {row.at_most:g}")
        cells += ["; ".join(others), self.verdict()]
        return cells

    def as_json(self) -> dict:
        def plain(spreads):
            return {name: vars(spread) for name, spread in spreads.items()}
        return {"row": self.row.name, "title": self.row.title, "unit": self.row.unit,
                "figures": plain(self.figures), "ratios": plain(self.ratios),
                "targets": self.targets(), "met": self.met()}


HEADINGS = ["row", "what", "stanzagate", "HAProxy", "nginx", "to HAProxy", "to nginx", "others",
            "met"]


def as_markdown(summaries: list[Summary]) -> str:
    lines = ["| " + " | ".join(HEADINGS) + " |", "|" + " --- |" * len(HEADINGS)]
    lines += ["| " + " | ".join(summary.cells()) + " |" for summary in summaries]
    return "\n".join(lines)


def as_text(summaries: list[Summary]) -> str:
    rows = [HEADINGS] + [summary.cells() for summary in summaries]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEADINGS))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
                     for row in rows)
