#!/usr/bin/env python3
"""Checks check_pages.py itself: on a page with one fault of each kind it must name every one of them."""
import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import check_pages
from webdriver import Browser, require_browser

DOT = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
FAULTY = f"""<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,">
<meta name="viewport" content="width=device-width"><title>faulty</title></head>
<body style="background: white"><p style="color: #999999">pale text</p>
<img src="{DOT}"><img src="data:image/png;base64,AAAA" alt="broken"><img src="http://127.0.0.1:9/a.png" alt="far away">
<button></button><div style="width: 900px">wide</div>
<figure class="player" data-frame="1"><canvas role="img" aria-label="blank"></canvas><button type="button">Play</button>
<input type="range" min="0" max="2" value="1" aria-label="stuck"></figure>
<script>console.error('something failed')</script></body></html>"""
EXPECTED = [
    "console: SEVERE", "asks the network for http://127.0.0.1:9/a.png", "a picture has no alternative text",
    "a picture is not drawn: data:image/png", "a control has no name", "contrast 2.8",
    "the dark theme does not change the background", "at 400 pixels: the page is 9", "its canvas is blank",
    "value 0: expected frame 0 but it shows 1", "arrow key: expected frame 0", "the button does not play",
    "the slider does not say its value",
]


def main():
    require_browser()
    with tempfile.TemporaryDirectory() as folder, Browser(patience=0.05) as browser:  # its faults never pass
        page = os.path.join(folder, "faulty.html")
        with open(page, "w") as out:
            out.write(FAULTY)
        problems = check_pages.check_page(browser, page)
    missed = [fault for fault in EXPECTED if not any(fault in problem for problem in problems)]
    for fault in missed:
        print(f"not found: {fault}")
    if missed:
        print("found:", *problems, sep="\n  ")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
