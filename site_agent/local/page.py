"""The hospital's own figures and tables as one HTML file that runs nothing and loads nothing."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from html import escape
from typing import Final

from site_agent.local import figures
from site_agent.local.cohort import Cohort, Description
from site_agent.runtime.policy import style_source

STYLE: Final = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem; }
.warning { border: 3px solid #a30000; padding: 0.5rem 1rem; }
figure { margin: 1rem 0; overflow-x: auto; }
img { max-width: 100%; height: auto; }
table { border-collapse: collapse; }
.wide { overflow-x: auto; }
caption { text-align: left; font-weight: bold; }
th, td { border-bottom: 1px solid #ccc; padding: 0.2rem 0.8rem 0.2rem 0; text-align: right; }
tbody th { text-align: left; }
.level { padding-left: 1.2rem; font-weight: normal; }
"""
WARNING: Final = (
    "For this hospital only. Single patients show on this page: keep it as you keep the data, and "
    "do not send it. The coordinating center does not get it, and does not ask for it."
)


def page(cohort: Cohort, *, keys: bool) -> str:
    """Return the page; lanes and bars have running numbers, or the patients' keys with `keys`."""
    study = cohort.study
    names = (
        list(cohort.identifiers) if keys else [str(n + 1) for n in range(len(cohort.identifiers))]
    )
    parts = [*_swimmers(cohort, names), *_waterfalls(cohort, names), *_curves(cohort)]
    parts += [_table(cohort, found) for found in cohort.descriptions()]
    security = f"default-src 'none'; img-src data:; style-src {style_source(STYLE)}"
    mark = f"<p><strong>{escape(study.watermark)}</strong></p>" if study.watermark else ""
    title = f"{study.title}: the patients of this hospital"
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{security}">
<meta name="viewport" content="width=device-width">
<title>{escape(title)}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<h1>{escape(title)}</h1>
<p class="warning">{escape(WARNING)}</p>
{mark}
{"".join(parts)}
</main>
</body>
</html>
"""


def _swimmers(cohort: Cohort, names: list[str]) -> Iterator[str]:
    courses, study = cohort.courses(), cohort.study
    if not len(courses.patient):
        return
    for grades in (None, *courses.grades):
        shown = "whole follow-up" if grades is None else f"{study.label(grades.column)} by day"
        title = f"Courses of {len(courses.patient)} patients: {shown}"
        yield _figure(title, figures.swimmer(courses, grades, names, study.labels))


def _waterfalls(cohort: Cohort, names: list[str]) -> Iterator[str]:
    for changes in cohort.changes():
        if len(changes.percent):
            title = f"{cohort.study.label(changes.analysis)}: change of each patient"
            yield _figure(title, figures.waterfall(changes, names))


def _curves(cohort: Cohort) -> Iterator[str]:
    for name, rows, groups in cohort.curves():
        if len(rows):
            title = f"{cohort.study.label(name)}: Kaplan-Meier"
            yield _figure(title, figures.curves(rows, groups, cohort.study.time))


def _figure(title: str, svg: str) -> str:
    data = base64.b64encode(svg.encode("utf-8")).decode()
    return (
        f"<h2>{escape(title)}</h2>\n"
        f'<figure><img alt="{escape(title)}" src="data:image/svg+xml;base64,{data}"></figure>\n'
    )


def _table(cohort: Cohort, found: Description) -> str:
    study = cohort.study
    heads = "".join(f'<th scope="col">{escape(name)} (n = {n})</th>' for name, n in found.groups)
    lines = []
    for variable in found.variables:
        label = escape(study.label(variable.variable))
        lines.append(f'<tr><th scope="row">{label}</th>{"<td></td>" * len(found.groups)}</tr>')
        for level, texts in variable.lines:
            cells = "".join(f"<td>{escape(text)}</td>" for text in texts)
            lines.append(f'<tr><th scope="row" class="level">{escape(level)}</th>{cells}</tr>')
    caption = escape(study.label(found.analysis))
    return (
        f'<div class="wide"><table><caption>{caption}</caption>\n'
        f"<thead><tr><td></td>{heads}</tr></thead>\n<tbody>{''.join(lines)}</tbody></table></div>\n"
    )
