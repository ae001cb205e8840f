"""HTML reports of run folders, each one file that needs no network.

Reads run folders only and never imports torch, so it works wherever a copied run folder is.
"""

from aplt.report.page import write_report

__all__ = ["write_report"]
