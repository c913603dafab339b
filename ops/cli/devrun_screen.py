"""A dry run's report on the terminal: on the first screen what somebody should look at, the most suspicious first."""

from collections.abc import Iterator

from rich.text import Text

from batch.devrun.explanation import Explanation, FieldExplained
from batch.devrun.findings import amount, duration_us, percent
from batch.devrun.report import ErrorReport, Example, FieldReport, Quantiles, Report
from batch.devrun.summary import suspicious
from ops.cli import render

FIELDS_SHOWN_MAX = 12
_FINDINGS_SHOWN_MAX = 4
_VALUE_CHARACTERS_MAX = 36
_TRACES_MAX = 5
_SUSPICIOUS, _NOTABLE, _CALM = "bold red", "yellow", "dim"


def print_report(report: Report) -> None:
    """Head, verdict, fields by rank; below them traces and distributions."""
    out = render.console()
    for line in _lines(report):
        out.print(line)


def print_explanation(explanation: Explanation) -> None:
    """What differs, with all that the functions got; then what does not."""
    out = render.console()
    differing = [field for field in explanation.fields if field.status != "same"]
    render.print_title(
        f"{explanation.id} by the code that runs and by {explanation.new_code}", f"at {explanation.when}"
    )
    for remark in explanation.remarks:
        out.print(Text(f"note: {remark}", "yellow"))
    out.print(Text(f"{len(differing)} of {len(explanation.fields)} fields differ", "bold"))
    for field in differing:
        for line in _explained(field):
            out.print(line)
    out.print(Text(""))
    calm = [field for field in explanation.fields if field.status == "same"]
    render.print_table(
        ("the same in both", "value", "from"),
        [(field.name, _value(field.after), _source(field)) for field in calm],
    )


def _explained(field: FieldExplained) -> Iterator[Text]:
    yield Text("")
    line = Text(field.name, _SUSPICIOUS if field.status == "fails" else _NOTABLE)
    line.append(f"  {field.status}; {field.origin}", _CALM)
    yield line
    if field.trouble_before is not None:
        yield Text(f"  before  {field.trouble_before.kind}: {field.trouble_before.message}", "red")
    elif field.status != "added":
        yield Text(f"  before  {render.shown(field.before)}")
    if field.trouble_after is not None:
        yield Text(f"  after   {field.trouble_after.kind}: {field.trouble_after.message}", "red")
        yield from (Text("          " + one, _CALM) for one in field.trouble_after.trace.splitlines()[:-1])
    elif field.status != "removed":
        yield Text(f"  after   {render.shown(field.after)}")
    if field.inputs_before:
        yield Text("  it got, before:")
        yield from (Text(f"    {one.name:<20} {one.value}  {one.path}") for one in field.inputs_before)
    yield Text("  it got:" if not field.inputs_before else "  it got, after:")
    yield from (Text(f"    {one.name:<20} {one.value}  {one.path}") for one in field.inputs_after)


def _source(field: FieldExplained) -> str:
    named = [f"{one.name}={one.value[:_VALUE_CHARACTERS_MAX]}" for one in field.inputs_after if one.name]
    return f"{field.origin}  {' '.join(named)}".rstrip()


def _lines(report: Report) -> Iterator[Text]:
    yield from _head(report)
    found = [field for field in report.fields if field.findings]
    for rank, field in enumerate(found[:FIELDS_SHOWN_MAX], 1):
        yield from _field(rank, field, report.errors)
    if len(found) > FIELDS_SHOWN_MAX:
        names = ", ".join(field.name for field in found[FIELDS_SHOWN_MAX:])
        yield Text(f"    and {len(found) - FIELDS_SHOWN_MAX} more: {names}")
    yield Text(f"    {len(report.fields) - len(found)} fields are the same everywhere", _CALM)
    yield Text("")
    yield _times(report)
    yield from _failures(report)
    yield from _traces(report)
    yield from _distributions([field for field in found[:FIELDS_SHOWN_MAX] if field.shift is not None])


def _head(report: Report) -> Iterator[Text]:
    yield Text(f"{report.drawn} at {report.when}, built twice: by the code that runs and by {report.new_code}", "bold")
    edited = ", ".join(report.edited) or "no field's own code: what differs lies in what fields use, or in nothing"
    yield Text(f"edited: {edited}")
    for remark in report.remarks:
        yield Text(f"note: {remark}", "yellow")
    if report.stopped:
        yield Text(f"! not finished: {report.stopped}", _SUSPICIOUS)
    yield Text("")
    yield Text(report.verdict, "bold red" if suspicious(report) else "bold green")
    yield Text("")


def _field(rank: int, field: FieldReport, errors: list[ErrorReport]) -> Iterator[Text]:
    marks = [field.subject, *(["critical"] if field.critical else []), *(["edited"] if field.edited else [])]
    heaviest = field.findings[0].weight
    style = _SUSPICIOUS if heaviest >= 50 else _NOTABLE if heaviest >= 20 else ""
    line = Text(f"{rank:>2}  ")
    line.append(field.name, style)
    line.append(f"  {', '.join(marks)}; {field.origin}", _CALM)
    yield line
    for finding in field.findings[:_FINDINGS_SHOWN_MAX]:
        yield Text(f"    {finding.sentence}")
        if finding.code == "errors":
            yield from (Text(f"      {_error(error)}", "red") for error in _of(errors, field))
    if field.examples:
        yield Text("      " + "   ".join(_example(example) for example in field.examples[:3]), "cyan")


def _of(errors: list[ErrorReport], field: FieldReport) -> list[ErrorReport]:
    return [one for one in errors if one.field == field.name and one.version == "new"][:2]


def _error(error: ErrorReport) -> str:
    place = f" at {error.place}" if error.place else ""
    return f"{error.kind}: {error.message[:80]}{place}: {', '.join(error.ids[:3])}"


def _example(example: Example) -> str:
    return f"{example.id} {_value(example.before)} -> {_value(example.after)}"


def _value(value: object) -> str:
    text = render.shown(value)
    return text if len(text) <= _VALUE_CHARACTERS_MAX else text[: _VALUE_CHARACTERS_MAX - 1] + "…"


def _times(report: Report) -> Text:
    parts = [
        f"{one.name} {duration_us(one.us_before / one.compared)} -> {duration_us(one.us_after / one.compared)}"
        for one in report.types
        if one.compared
    ]
    return Text(f"time of the functions per document: {', '.join(parts)}" if parts else "")


def _failures(report: Report) -> Iterator[Text]:
    for failure in report.failures:
        yield Text(f"! {failure.threshold}: {failure.sentence}", _SUSPICIOUS)


def _traces(report: Report) -> Iterator[Text]:
    for error in report.errors[:_TRACES_MAX]:
        yield Text("")
        which = "" if error.version == "new" else " with the running code"
        yield Text(f"{error.subject}.{error.field} fails on {error.documents:,}{which}", "bold")
        for line in (error.trace or f"{error.kind}: {error.message}").splitlines():
            yield Text("  " + line)


def _distributions(fields: list[FieldReport]) -> Iterator[Text]:
    if fields:
        yield Text("")
        yield Text("distributions  (KS, TV: 0 the same, 1 nothing in common)", "bold")
    for field in fields:
        shift = field.shift
        assert shift is not None
        yield Text(f"{field.name}  {shift.measure} {shift.value:.3f}")
        if shift.numbers_before and shift.numbers_after:
            for when, numbers in (("before", shift.numbers_before), ("after", shift.numbers_after)):
                yield Text(f"  {when:<7}{_quantiles(numbers)}")
        else:
            for when, top in (("before", shift.top_before), ("after", shift.top_after)):
                if not top:
                    continue  # of a sensitive column
                shown = ", ".join(f"{_value(value)} {percent(count / field.compared)}" for value, count in top[:5])
                yield Text(f"  {when:<7}{shown}")


def _quantiles(numbers: Quantiles) -> str:
    names = ("min", "p10", "p50", "p90", "max", "mean")
    return "  ".join(f"{name} {amount(getattr(numbers, name))}" for name in names)
