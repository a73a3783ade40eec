"""What the gate's log says in the end, counted."""

from collections import Counter
from pathlib import Path

from harness.gate import log_fields

# What must not be in there.
WRONG = ("exception", "log_lost", "accept_paused", "proxy_header_refused", "cannot_listen")


def count_log(log: Path, second: str) -> dict:
    """Sessions that ended, by why, those of the host `second` apart; and what is wrong with them."""
    ends, second_ends, wrong = Counter(), Counter(), []
    seen: set[str] = set()
    registrations = 0
    with log.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if " event=session_end " in line:
                fields = log_fields(line)
                of = second_ends if fields.get("host") == second else ends
                if fields["session"] in seen:
                    wrong.append(f"ended twice: {line.strip()}")
                seen.add(fields["session"])
                of[fields["why"]] += 1
            elif " event=registration " in line:
                registrations += 1
            elif "ERROR: " in line or "runtime error:" in line or any(
                    f" event={event} " in line for event in WRONG):
                wrong.append(line.strip())
    return {"ends": dict(ends), "second_ends": dict(second_ends), "sessions": len(seen),
            "registrations": registrations, "wrong": wrong[:20]}
