"""What is wrong with a soak's result, and its table."""

import argparse
from collections.abc import Iterator

MIB = 2**20
# Ends of sessions whose server has gone; which of them depends on what the gate saw first.
OUTAGE = ("upstream_closed", "upstream_failed", "network_error", "refused")


class Counters:
    """The gate's own, at the end."""

    def __init__(self, metrics: list):
        self._metrics = metrics

    def sum(self, name: str, **labels: str) -> int:
        return int(sum(value for found, all_labels, value in self._metrics
                       if found == name and labels.items() <= all_labels.items()))


def judge(result: dict, options: argparse.Namespace, with_memory: bool) -> list[str]:
    problems = []
    if result["broke_off"]:
        problems.append(f"it broke off: {result['broke_off']}")
    if result["exit_code"] != 0:
        problems.append(f"the gate ended with {result['exit_code']}, not 0")
    problems += result["failures"]
    problems += [f"the gate's log: {line}" for line in result["log"]["wrong"]]
    if "metrics" not in result:
        return problems
    for check in (_traffic, _ends, _registrations, _counters):
        problems += check(result, options)
    if with_memory:
        problems += _memory(result, options)
    return problems


def _differs(what: str, found: int, wanted: int) -> Iterator[str]:
    if found != wanted:
        yield f"{what}: {found}, and not {wanted}"


def _traffic(result: dict, options: argparse.Namespace) -> Iterator[str]:
    clients, sink = result["clients"], result["sink"]
    counters = Counters(result["metrics"])
    yield from _differs("failures of the clients", clients["failures"], 0)
    yield from _differs("failures of the servers", sink["failures"], 0)
    if clients["stanzas_said"] < options.rate * options.minutes * 60 / 4:
        yield f"only {clients['stanzas_said']} stanzas were said: the machine is too slow for this"
    for way, there in (("up", "to_upstream"), ("down", "to_client")):
        counted = counters.sum("relayed_bytes_total", direction=there)
        kind = "received" if way == "up" else "sent"
        ends = sink[f"first_{kind}"] + sink[f"second_{kind}"]
        # What was under way when a session was cut may or may not have passed the gate.
        least, most = ((ends, ends + clients["under_way_up"]) if way == "up" else
                       (ends - clients["under_way_down"], ends))
        if not least <= counted <= most:
            yield (f"relayed_bytes_total {there}: {counted}; the servers {kind} {ends} bytes, and at"
                   f" most {most - least} were under way when sessions were cut")


def _ends(result: dict, _) -> Iterator[str]:
    clients, log = result["clients"], result["log"]
    ends = dict(log["ends"])
    # A write may be the first to learn of a reset, and the read after it finds a plain end: such a
    # session is logged as client_closed, and one that the second host's server reset as well.
    resets = clients["cut"] + clients["reset_by_server"]
    taken_for_closed = resets - ends.get("network_error", 0)
    if 0 < taken_for_closed <= clients["cut_in_the_middle"]:
        ends["network_error"] += taken_for_closed
        ends["client_closed"] -= taken_for_closed
    wanted = {
        "client_closed": clients["clean"] + clients["asked"],
        "network_error": resets,
        "upstream_closed": clients["closed_by_server"],
        "refused": clients["nonsense"],
        "handshake_failed": clients["no_tls"],
    }
    for why in sorted(wanted | ends):
        yield from _differs(f"session_end why={why}", ends.get(why, 0), wanted.get(why, 0))
    second, in_outages = log["second_ends"], clients["lost_in_outage"] + clients["refused_in_outage"]
    closed = second.get("client_closed", 0)
    if closed < clients["second_clean"]:
        yield f"{clients['second_clean']} sessions of the second host ended cleanly, {closed} are logged"
    yield from _differs("session_end of the second host",
                        closed + sum(second.get(why, 0) for why in OUTAGE),
                        clients["second_clean"] + in_outages)
    yield from _differs("session_end of the second host, otherwise",
                        sum(count for why, count in second.items()
                            if why not in (*OUTAGE, "client_closed")), 0)


def _registrations(result: dict, _) -> Iterator[str]:
    clients, counters = result["clients"], Counters(result["metrics"])
    yield from _differs("registrations_total", counters.sum("registrations_total"),
                        clients["registrations"])
    yield from _differs("registrations_total action=redirect",
                        counters.sum("registrations_total", action="redirect"),
                        clients["registrations"])
    yield from _differs("event=registration in the log", result["log"]["registrations"],
                        clients["registrations"])
    yield from _differs("refused_connections_total", counters.sum("refused_connections_total"),
                        clients["turned_away"])
    for what in ("asked", "turned_away", "nonsense", "no_tls"):
        if clients[what] == 0:
            yield f"nobody in the storms {what.replace('_', ' ')}"


def _counters(result: dict, _) -> Iterator[str]:
    clients, counters = result["clients"], Counters(result["metrics"])
    yield from _differs("connections", counters.sum("connections"), 0)
    ended = sum(result["log"][of].get(why, 0) for of in ("ends", "second_ends")
                for why in result["log"][of])
    yield from _differs("session_ends_total", counters.sum("session_ends_total"), ended)
    yield from _differs("reloads_total result=ok", counters.sum("reloads_total", result="ok"),
                        result["reloads"]["ok"])
    yield from _differs("reloads_total result=failed",
                        counters.sum("reloads_total", result="failed"),
                        result["reloads"]["failed"])
    yield from _differs("stream_errors_total condition=not-well-formed",
                        counters.sum("stream_errors_total", condition="not-well-formed"),
                        clients["nonsense"])
    errors = counters.sum("stream_errors_total", condition="internal-server-error")
    refused, lost = clients["refused_in_outage"], clients["lost_in_outage"]
    if not refused <= errors <= refused + lost:
        yield (f"stream_errors_total condition=internal-server-error: {errors}; {refused} were"
               f" refused in outages, {lost} were lost")
    if not (result["outages"] and lost):
        yield f"in {result['outages']} outages {lost} sessions were lost"


def _memory(result: dict, options: argparse.Namespace) -> Iterator[str]:
    looks = result["memory"]
    states = {state: [look["pss"] for look in looks if look["state"] == state]
              for state in ("before", "quiet", "after")}
    left = states["after"][0] - states["before"][0]
    if left > options.most_left * MIB:
        yield f"{left / MIB:.1f} MiB are left when all have gone; at most {options.most_left:g} may be"
    grown = states["quiet"][-1] - states["quiet"][0]
    if grown > options.most_grown * MIB:
        yield (f"the same sessions take {grown / MIB:.1f} MiB more at the end than at first; at most"
               f" {options.most_grown:g} may be")


def table(result: dict) -> str:
    rows: list[tuple[str, object]] = []
    if "clients" in result:
        clients, sink = result["clients"], result["sink"]
        doors = ", ".join(f"{door.removeprefix('over_')} {clients[door]}"
                          for door in clients if door.startswith("over_"))
        rows += [
            ("seconds under load", round(result["seconds"])),
            ("cores that the gate used", f"{result['cpu_share']:.2f}"),
            ("sessions held", result["options"]["sessions"]),
            ("sessions set up", f"{clients['established']} ({doors})"),
            ("stanzas compared, both ways",
             clients["stanzas_heard"] + sink["first_heard"] + sink["second_heard"]),
            ("bytes relayed after authentication, to servers",
             sink["first_received"] + sink["second_received"]),
            ("the same, to clients", sink["first_sent"] + sink["second_sent"]),
            ("ended cleanly, with equal digests",
             clients["clean"] + clients["second_clean"] + clients["closed_by_server"]),
            ("cut by the client, reset by the server",
             f"{clients['cut']}, {clients['reset_by_server']}"),
            ("spells without reading", clients["spells"]),
            ("outages; sessions lost, refused in them",
             f"{result['outages']}; {clients['lost_in_outage']}, {clients['refused_in_outage']}"),
            ("registrations redirected", clients["registrations"]),
            ("turned away by a limit, no TLS, no XML",
             f"{clients['turned_away']}, {clients['no_tls']}, {clients['nonsense']}"),
            ("reloads taken, refused",
             f"{result['reloads']['ok']}, {result['reloads']['failed']}"),
        ]
    rows += [("unexpected ends and bytes", len(result["failures"]))]
    for state in ("before", "quiet", "after"):
        looks = [f"{look['pss'] / MIB:.1f}" for look in result["memory"]
                 if look["state"] == state]
        rows.append((f"MiB PSS, {state}", " ".join(looks)))
    wide = max(len(name) for name, _ in rows)
    return "\n".join(f"  {name:{wide}}  {value}" for name, value in rows)
