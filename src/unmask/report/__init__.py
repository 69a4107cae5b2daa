"""What a scan found, drawn and told: a verdict and its file come in; a page, PDF, JSON or picture goes out.

Never here: judging anything, decoding or encoding videos, or a page that loads something from elsewhere.

`write_report` is the way in. `looking` has the file read again in a child process, and draws with `marks` and
`heat`; `page` puts what came of it into words, with `people`, `timeline` and `sections`; `overview` is for
many files. `document` and `charts` are what every page is made of, and `pdf` prints them. `faces` draws what
was found on frames, `notebook` shows that.
"""

from unmask.report.options import REPORT_SUFFIXES, ReportOptions
from unmask.report.overview import write_reports
from unmask.report.write import render_report, write_report

__all__ = ["REPORT_SUFFIXES", "ReportOptions", "render_report", "write_report", "write_reports"]
