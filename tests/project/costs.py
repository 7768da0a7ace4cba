"""What the watchdog costs in a month: the arithmetic behind the tables of docs/costs.md, in US dollars."""

from collections.abc import Iterable

#: List prices in us-west-2, in US dollars.
LAMBDA_GB_SECOND = 0.0000133334  # arm64
LAMBDA_REQUEST = 0.20 / 1e6
SNAPSTART_CACHE_GB_SECOND = 0.0000015046
SNAPSTART_RESTORE_GB = 0.0001397998
DYNAMODB_READ_UNIT = 0.125 / 1e6  # on demand
DYNAMODB_WRITE_UNIT = 0.625 / 1e6
METRIC = 0.30
ALARM = 0.10
LOG_GB = 0.50
SECRET = 0.40
SQS_REQUEST = 0.40 / 1e6

#: The assumptions that the page names.
SECONDS_A_MONTH = 30 * 24 * 3600
FULL_PASSES = SECONDS_A_MONTH // 300
MEMORY_GB = 0.25
ROW_KB = 1
MONTHS_KEPT = 12
EVENTS_A_MEETING = 10  # two machines, four states each that the rule lets through, and the tags of the launch
WRITES_A_MEETING = 3  # two links, one end
INDEX_WRITES_A_MEETING = 10  # five changes of status, each moves the row in the index
HOURS_A_MEETING = 1.5
SCOPED_SECONDS, FULL_SECONDS = 0.8, 1.2
SCAN_SECONDS_A_MB = 0.05
LINES_A_MEETING, LINE_KB = 12, 0.7
METRICS, ALARMS = 12, 9
COLD_STARTS = 600

SIZES = (10, 1_000, 10_000)
TABLE_SIZES = (1_000, 100_000, 1_000_000)


def scan_units(rows: float) -> float:
    """Read units of one scan: half a unit for 4 KB, filtered rows included."""
    return max(0.5, rows * ROW_KB / 4 * 0.5)


def index_units(live_rows: float) -> float:
    """Read units of the four queries of one pass: at least half a unit each."""
    return max(4 * 0.5, live_rows * ROW_KB / 4 * 0.5)


def live(meetings: int) -> float:
    """Meetings that are live at one time, on average, with half an hour around each."""
    return meetings * (HOURS_A_MEETING + 0.5) * 3600 / SECONDS_A_MONTH


def monthly(meetings: int) -> list[tuple[str, float]]:
    """The lines of the bill."""
    rows = meetings * MONTHS_KEPT
    scoped = meetings * EVENTS_A_MEETING
    seconds = scoped * SCOPED_SECONDS + FULL_PASSES * (FULL_SECONDS + rows * ROW_KB / 1024 * SCAN_SECONDS_A_MB)
    passes = scoped + FULL_PASSES
    by_key = passes * DYNAMODB_READ_UNIT + meetings * WRITES_A_MEETING * DYNAMODB_WRITE_UNIT
    log_gb = (meetings * LINES_A_MEETING + passes * 5) * LINE_KB / 1024 / 1024
    return [
        ("Lambda", passes * LAMBDA_REQUEST + seconds * MEMORY_GB * LAMBDA_GB_SECOND),
        ("DynamoDB, rows by key and writes", by_key),
        ("DynamoDB, scans", FULL_PASSES * scan_units(rows) * DYNAMODB_READ_UNIT),
        ("or with an index on status", FULL_PASSES * index_units(live(meetings)) * DYNAMODB_READ_UNIT
         + meetings * INDEX_WRITES_A_MEETING * DYNAMODB_WRITE_UNIT),
        ("queue", (SECONDS_A_MONTH / 20 * 5 + scoped * 3) * SQS_REQUEST),
        ("logs", log_gb * LOG_GB),
        ("metrics", METRICS * METRIC),
        ("alarms", ALARMS * ALARM),
        ("secret", SECRET),
    ]  # fmt: skip


def snapstart() -> float:
    """What SnapStart adds: one version's snapshot kept, and restored at each cold start."""
    return MEMORY_GB * (SECONDS_A_MONTH * SNAPSTART_CACHE_GB_SECOND + COLD_STARTS * SNAPSTART_RESTORE_GB)


def bill() -> str:
    """The table of the bill, as Markdown."""
    columns = [dict(monthly(size)) for size in SIZES]
    rows = [[name, *(_dollars(column[name]) for column in columns)] for name in columns[0]]
    totals = [sum(amount for name, amount in column.items() if not name.startswith("or ")) for column in columns]
    cheaper = [
        total - column["DynamoDB, scans"] + column["or with an index on status"]
        for total, column in zip(totals, columns, strict=True)
    ]
    rows += [
        ["**all of it, scanning**", *map(_dollars, totals)],
        ["**all of it, with the index**", *map(_dollars, cheaper)],
        ["SnapStart, if chosen", *[_dollars(snapstart())] * len(SIZES)],
    ]
    return _table(["a month", *(f"{size:,} meetings" for size in SIZES)], rows)


def units() -> str:
    """The table of read units a pass, as Markdown."""
    rows = [
        [f"{rows:,}", f"{scan_units(rows):,.0f}", f"{index_units(100):,.1f}",
         _dollars(FULL_PASSES * scan_units(rows) * DYNAMODB_READ_UNIT),
         _dollars(FULL_PASSES * index_units(100) * DYNAMODB_READ_UNIT)]
        for rows in TABLE_SIZES
    ]  # fmt: skip
    return _table(["rows in the table", "units, scan", "units, index", "a month, scan", "a month, index"], rows)


def _dollars(amount: float) -> str:
    return "< $0.01" if amount < 0.01 else f"${amount:,.2f}"


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
