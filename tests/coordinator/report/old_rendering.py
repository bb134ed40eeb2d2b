"""What the report of test_report_attacked.py's study showed before output rules: as numbers.

Recorded by a script from the report's code of 2026-11-21 (commit 4385b01), read by reading_back.py:
small counts hidden table by table, rows beside patients, every step of every curve to a hundredth
of a pixel. One box with a mark stood for three hidden cells of a figure; it is written three times.
"""

from __future__ import annotations

from typing import Final

from tests.coordinator.report.reading_back import Analysis, Drawing

OLD: Final = {
    "overall": Analysis(
        "Rows left out: none.",
        {
            "Median and quantiles of the time, in days": (("150", "43", "20 (15 to not reached)"),),
            "Estimates at given times": (
                ("5", "143", "7", "95.3 (85.3 to 100.0)"),
                ("15", "132", "18", "88.0 (78.0 to 98.0)"),
                ("25", "119", "31", "79.3 (69.3 to 89.3)"),
            ),
        },
        (
            Drawing(
                (
                    (
                        "M76 49H92.1V50.4H100.15V54.6H108.2V58.8H124.3V60.2H140.4V63H148.45V64."
                        "4H164.55V65.8H172.6V70H180.65V71.4H188.7V74.2H204.8V75.6H212.85V78.4H2"
                        "20.9V79.8H228.95V81.2H237V82.6H253.1V85.4H261.15V89.6H269.2V92.4H285.3"
                        "V93.8H293.35V95.2H309.45V98H325.55V99.4H341.65V102.2H349.7V103.6H357.7"
                        "5V105H365.8V107.8H381.9V109.2H398V109.2"
                    ),
                ),
                ((76.0, 0.0), (156.5, 10.0), (237.0, 20.0), (317.5, 30.0), (398.0, 40.0)),
                ((259.0, 0.0), (206.5, 25.0), (154.0, 50.0), (101.5, 75.0), (49.0, 100.0)),
                (
                    ("150", "0", "0"),
                    ("139", "0", "11"),
                    ("127", "0", "24"),
                    ("115", "0", "35"),
                    ("107", "107", "43"),
                ),
            ),
        ),
    ),
    "arms": Analysis(
        "Rows left out: none.",
        {
            "Median and quantiles of the time, in days": (
                ("a", "90", "30", "20 (15 to not reached)"),
                ("b", "60", "13", "20 (15 to not reached)"),
            ),
            "Estimates at given times": (
                ("a", "5", "hidden", "hidden", "95.6 (85.6 to 100.0)"),
                ("a", "15", "78", "12", "86.7 (76.7 to 96.7)"),
                ("a", "25", "69", "21", "76.7 (66.7 to 86.7)"),
                ("b", "5", "hidden", "hidden", "95.0 (85.0 to 100.0)"),
                ("b", "15", "54", "6", "90.0 (80.0 to 100.0)"),
                ("b", "25", "50", "10", "83.3 (73.3 to 93.3)"),
            ),
        },
        (
            Drawing(
                (
                    (
                        "M76 49H91.45V51.33H99.18V56H106.91V58.33H122.37V60.67H137.82V65.33H145"
                        ".55V67.67H161V70H168.73V74.67H184.19V77H199.64V79.33H207.37V84H222.82V"
                        "86.33H230.55V88.67H246.01V91H253.73V95.67H261.46V98H276.92V100.33H284."
                        "64V102.67H300.1V105H315.55V107.33H331.01V109.67H338.74V112H354.19V116."
                        "67H369.65V119H385.1V119"
                    ),
                    (
                        "M76 49H99.18V52.5H106.91V59.5H168.73V63H176.46V66.5H184.19V70H215.09V7"
                        "3.5H246.01V77H253.73V80.5H261.46V84H300.1V87.5H331.01V91H346.46V94.5H3"
                        "85.1V94.5"
                    ),
                ),
                ((76.0, 0.0), (153.28, 10.0), (230.55, 20.0), (307.82, 30.0), (385.1, 40.0)),
                ((259.0, 0.0), (206.5, 25.0), (154.0, 50.0), (101.5, 75.0), (49.0, 100.0)),
                (
                    ("90", "0", "0"),
                    ("hidden", "hidden", "hidden"),
                    ("74", "0", "17"),
                    ("66", "0", "24"),
                    ("60", "60", "30"),
                    ("60", "0", "0"),
                    ("<5", "<5", "<5"),
                    ("53", "0", "7"),
                    ("49", "0", "11"),
                    ("47", "47", "13"),
                ),
            ),
        ),
    ),
    "arms_test": Analysis(
        "Rows left out: none.",
        {
            "Events by group": (("a", "90", "30", "6.2"), ("b", "60", "13", "8.8")),
            "Test": (("Log-rank", "2.16", "1", "0.14"),),
        },
        (),
    ),
    "model": Analysis(
        "Rows left out: <5 (a value missing).",
        {
            "Hazard ratios": (("Age, per year", "2.00 (0.751 to 5.33)", "0.17", "0.693", "0.500"),),
            "Tests of all coefficients": (
                ("Likelihood ratio", "3.25", "2", "0.20"),
                ("Score", "3.10", "2", "0.21"),
                ("Wald", "2.90", "2", "0.23"),
            ),
            "Fit": (("148", "148", "42", "−40.12", "−38.50", "79.00"),),
        },
        (),
    ),
}
