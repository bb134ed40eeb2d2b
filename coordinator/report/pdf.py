"""The report as PDF: the page set by WeasyPrint, which needs no browser and runs no script.

The page prints as it stands, by the print rules of its style sheet, with its bookmarks and with
tags for those who hear it. The same page gives the same bytes: the document is dated by the page
and named by its hash. Nothing is loaded: an address in the page would be an error.

WeasyPrint stands on the system's Pango. Where either is missing there is no PDF, and the HTML stays
the report.
"""

from __future__ import annotations

import hashlib
import warnings
from typing import Any, Final, NoReturn

MISSING: Final = (
    "no PDF of the report: WeasyPrint or its library Pango is missing. The HTML is complete; on "
    "Debian, `apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0` and write it "
    "again with `coordinator report`"
)


def build_pdf(page: bytes) -> bytes | None:
    """Return the page as PDF/UA, None where WeasyPrint or Pango is missing."""
    weasyprint = _library()
    if weasyprint is None:
        return None
    document = weasyprint.HTML(string=page.decode("utf-8"), url_fetcher=_nothing)
    data: bytes = document.write_pdf(
        pdf_identifier=hashlib.sha256(page).digest()[:16], pdf_variant="pdf/ua-1"
    )
    return data


def can_print() -> bool:
    """Return whether there is what makes a PDF."""
    return _library() is not None


def _library() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import weasyprint
        except (ImportError, OSError):  # OSError: Pango cannot be opened
            return None
    weasyprint.LOGGER.setLevel("ERROR")  # it would tell of each rule that is for screens
    return weasyprint


def _nothing(address: str, *_: object, **__: object) -> NoReturn:
    raise ValueError(f"found the address {address[:80]!r} in a report, expected none")
