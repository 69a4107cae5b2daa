"""The report of a scan: a verdict and its file come in; a page, a PDF or JSON goes out.

Never here: judging anything anew, or decoding in the caller's own process.

`write_report` is the way in. `looking` reads the file again in a child process, with `preview`, `heat` and
`facts`; `page` puts what came of it into words, with `people`, `timeline` and `sections`; `overview` is for
many files.
"""

from unmask.report.options import REPORT_SUFFIXES, ReportOptions
from unmask.report.overview import write_reports
from unmask.report.write import render_report, write_report

__all__ = ["REPORT_SUFFIXES", "ReportOptions", "render_report", "write_report", "write_reports"]
