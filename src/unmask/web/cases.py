"""The case file of a finished scan, as a zip: what ``unmask report`` writes into a folder."""

from __future__ import annotations

import io
import tempfile
import zipfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated

from pydantic import Field

from unmask.report.case import MAX_LETTERS, CaseDetails, HashedFile, open_case
from unmask.report.case_folder import CASE, LOG, REPORTS, VERDICT, begin_case, finish_case
from unmask.report.options import ReportOptions
from unmask.verdicts import Verdict

Text = Annotated[str, Field(max_length=MAX_LETTERS)]


@dataclass(frozen=True, slots=True)
class CaseForm:
    """What a person says of a case; everything may be left out.

    Attributes:
        examiner: Who examines.
        exhibit: What the recording is called in the case, and where it comes from.
        request: What was asked.
        reviewer: Who read the report.
        notes: Anything else.
    """

    examiner: Text = ""
    exhibit: Text = ""
    request: Text = ""
    reviewer: Text = ""
    notes: Text = ""


def zip_case(form: CaseForm, verdict: Verdict, source: Path, options: ReportOptions) -> bytes:
    """Make the folder of a case, and pack it.

    Args:
        form: What was said of it.
        verdict: Of the scan, with the name that the user gave the file as its path.
        source: The file.
        options: How the report is made.

    Raises:
        DataError: The file is no longer the one that was judged.
        OSError: Something cannot be written.
    """
    case = open_case(CaseDetails(**asdict(form)), source, options.settings, folder=Path())
    copy = case.working_copy
    case = replace(case, working_copy=HashedFile(Path(verdict.path).name, copy.size_bytes, copy.sha256))
    packed = io.BytesIO()
    with tempfile.TemporaryDirectory(prefix="unmask-") as made, zipfile.ZipFile(packed, "w") as pack:
        folder = Path(made)
        finish_case(begin_case(case, folder), verdict, source, folder, options=replace(options, case=case))
        for name in (LOG, CASE, VERDICT, *REPORTS):
            pack.write(folder / name, f"case/{name}", compress_type=zipfile.ZIP_DEFLATED)
    return packed.getvalue()
