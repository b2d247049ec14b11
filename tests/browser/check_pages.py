#!/usr/bin/env python3
"""Opens pages that fokker wrote in a headless Chromium and checks that they work.

  check_pages.py PAGE.html...            prints what is wrong with each page; exit status 1 where something is
  check_pages.py --screenshots DIR PAGE  also writes pictures of each page: light, dark and as wide as a phone

A page must: draw without a message on the console; ask for nothing beyond its own files; draw every picture and canvas;
give each picture an alternative text and each control a name; move its players by keyboard, by value and by the button;
follow the dark theme with text of sufficient contrast in both; fit a width of 400 pixels.
"""
import argparse
import json
import os
import pathlib
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from webdriver import Browser

WIDE, PHONE = (1100, 900), (400, 800)
END, ARROW_LEFT = "\ue010", "\ue012"
CONTRAST = 4.5

# Pictures that are drawn, and every control with the name that a screen reader would say.
PICTURES = """
return [...document.images].map(i => ({
  source: (i.currentSrc || i.src).slice(0, 80), drawn: i.complete && i.naturalWidth > 0, alt: i.alt.trim()}));
"""
NAMES = """
return [...document.querySelectorAll('button, input, select, a[href], [role=img], [role=region], summary')].map(e => {
  const label = (e.getAttribute('aria-labelledby') || '').split(' ').map(i => document.getElementById(i)?.textContent || '');
  const alt = [...e.querySelectorAll('img')].map(i => i.alt).join(' ');
  const name = e.getAttribute('aria-label') || label.join(' ') || e.textContent + alt;
  return {what: e.outerHTML.slice(0, 80), named: name.trim() !== ''};
}).filter(e => !e.named).map(e => e.what);
"""
READY = """
return document.readyState === 'complete' && [...document.images].every(i => i.complete) &&
  [...document.querySelectorAll('.player')].every(p => p.dataset.frame !== undefined);
"""
# How many different colours a canvas shows; -1 where its pixels may not be read (pictures from files).
COLOURS = """
const canvas = arguments[0], copy = new OffscreenCanvas(canvas.width, canvas.height);
const context = copy.getContext('2d', {willReadFrequently: true});
context.drawImage(canvas, 0, 0);
try {
  return new Set(new Uint32Array(context.getImageData(0, 0, copy.width, copy.height).data.buffer)).size;
} catch (error) { return -1; }
"""
PIXELS = """
const canvas = arguments[0];
try { return canvas.toDataURL(); } catch (error) { return ''; }
"""
SET_VALUE = """
const [slider, value] = arguments;
slider.value = value;
slider.dispatchEvent(new Event('input', {bubbles: true}));
"""
# Texts whose contrast against the nearest opaque background is below the limit (WCAG 2.1).
LOW_CONTRAST = """
const limit = arguments[0];
const parse = c => (c.match(/[\\d.]+/g) || []).map(Number);
const luminance = ([r, g, b]) => {
  const [x, y, z] = [r, g, b].map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * x + 0.7152 * y + 0.0722 * z;
};
const background = e => {
  for (; e; e = e.parentElement) {
    const c = parse(getComputedStyle(e).backgroundColor);
    if (c.length === 3 || c[3] === 1) return c;
  }
  return [255, 255, 255];
};
const found = new Set();
const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walk.nextNode()) {
  const e = walk.currentNode.parentElement;
  if (!walk.currentNode.textContent.trim() || ['SCRIPT', 'STYLE', 'NOSCRIPT'].includes(e.tagName)) continue;
  const [a, b] = [luminance(parse(getComputedStyle(e).color)), luminance(background(e))].sort((x, y) => y - x);
  const ratio = (a + 0.05) / (b + 0.05);
  if (ratio < limit) found.add(`${ratio.toFixed(2)}: ${e.tagName} "${e.textContent.trim().slice(0, 40)}"`);
}
return [...found];
"""
OVERFLOW = """
const width = document.documentElement.clientWidth;
if (document.documentElement.scrollWidth <= width) return [];
return [`the page is ${document.documentElement.scrollWidth} pixels wide`].concat([...document.querySelectorAll('body *')]
  .filter(e => e.getBoundingClientRect().right > width + 0.5 && !e.closest('.scroll, pre')).slice(0, 5)
  .map(e => `reaches ${Math.round(e.getBoundingClientRect().right)}: ${e.outerHTML.slice(0, 80)}`));
"""
BACKGROUND = "return getComputedStyle(document.body).backgroundColor"


def check_network(browser, problems):
    for entry in browser.log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] != "Network.requestWillBeSent":
            continue
        url = message["params"]["request"]["url"]
        if not url.startswith(("file:", "data:")):
            problems.append(f"asks the network for {url[:100]}")


def check_console(browser, problems):
    for entry in browser.log("browser"):
        problems.append(f"console: {entry['level']}: {entry['message'][:200]}")


def check_pictures(browser, problems):
    for picture in browser.run(PICTURES):
        if not picture["drawn"]:
            problems.append(f"a picture is not drawn: {picture['source']}")
        if not picture["alt"]:
            problems.append(f"a picture has no alternative text: {picture['source']}")
    problems += [f"a control has no name: {what}" for what in browser.run(NAMES)]


def frame_of(browser, player):
    return int(browser.run("return arguments[0].dataset.frame", player))


def check_player(browser, number, player, problems):
    """By keyboard, by value and by the button, the frame and what is drawn change."""
    canvas, slider, button = browser.run(
        "return ['canvas', 'input', 'button'].map(s => arguments[0].querySelector(s))", player)
    last = int(browser.run("return arguments[0].max", slider))
    colours = 0
    deadline = time.monotonic() + 10 * browser.patience
    while colours in (0, 1) and time.monotonic() < deadline:  # pictures of frames are decoded meanwhile
        colours = browser.run(COLOURS, canvas)
    if colours in (0, 1):
        problems.append(f"player {number}: its canvas is blank")

    def expect(what, frame, before):
        if frame_of(browser, player) != frame:
            problems.append(f"player {number}: {what}: expected frame {frame} but it shows {frame_of(browser, player)}")
        changed = browser.wait("return arguments[1] === '' || (() => {" + PIXELS + "})(...arguments) !== arguments[1]",
                               canvas, before, seconds=5)
        if not changed:
            problems.append(f"player {number}: {what}: the canvas did not change")

    before = browser.run(PIXELS, canvas)
    browser.run(SET_VALUE, slider, 0)
    expect("value 0", 0, before)
    before = browser.run(PIXELS, canvas)
    browser.type(slider, END)
    expect("key End", last, before)
    middle = last // 2  # the last two frames can be alike to the pixel
    before = browser.run(PIXELS, canvas)
    browser.run(SET_VALUE, slider, middle)
    expect(f"value {middle}", middle, before)
    before = browser.run(PIXELS, canvas)
    browser.type(slider, ARROW_LEFT)
    expect("arrow key", middle - 1, before)
    text = browser.run("return arguments[0].getAttribute('aria-valuetext') || ''", slider)
    if not text:
        problems.append(f"player {number}: the slider does not say its value in words")
    browser.run(SET_VALUE, slider, 0)
    first = frame_of(browser, player)
    browser.type(button, " ")
    if not browser.wait("return Number(arguments[0].dataset.frame) !== arguments[1]", player, first, seconds=10):
        problems.append(f"player {number}: the button does not play")
    browser.type(button, " ")
    if browser.run("return arguments[0].textContent", button).strip() != "Play":
        problems.append(f"player {number}: the button does not stop the player")


def check_theme(browser, problems):
    backgrounds = {}
    for theme in ("light", "dark"):
        browser.set_theme(theme)
        backgrounds[theme] = browser.run(BACKGROUND)
        if not browser.wait(READY):
            problems.append(f"{theme}: not all pictures are drawn")
        problems += [f"{theme}: contrast {text}" for text in browser.run(LOW_CONTRAST, CONTRAST)]
        problems += [f"{theme}: a picture is not drawn: {p['source']}" for p in browser.run(PICTURES) if not p["drawn"]]
    if backgrounds["light"] == backgrounds["dark"]:
        problems.append(f"the dark theme does not change the background {backgrounds['light']}")
    browser.set_theme("light")


def open_page(browser, page):
    browser.open(pathlib.Path(page).resolve().as_uri())
    return browser.wait(READY)


def check_page(browser, page):
    """What is wrong with the page, one line each."""
    problems = []
    browser.set_theme("light")
    browser.set_size(*WIDE)
    browser.log("browser"), browser.log("performance")
    if not open_page(browser, page):
        problems.append("not all pictures and players were ready after 20 seconds")
    browser.run("document.querySelectorAll('details').forEach(d => d.open = true)")
    check_pictures(browser, problems)
    for number, player in enumerate(browser.find(".player"), 1):
        check_player(browser, number, player, problems)
    check_theme(browser, problems)
    browser.set_size(*PHONE)
    time.sleep(0.2)
    problems += [f"at {PHONE[0]} pixels: {text}" for text in browser.run(OVERFLOW)]
    check_console(browser, problems)
    check_network(browser, problems)
    return problems


def take_screenshots(browser, page, folder):
    os.makedirs(folder, exist_ok=True)
    name = "-".join(pathlib.Path(page).with_suffix("").parts[-2:])
    for theme, (width, height) in (("light", WIDE), ("dark", WIDE), ("phone", PHONE)):
        browser.set_theme("dark" if theme == "dark" else "light")
        browser.set_size(width, height)
        open_page(browser, page)
        browser.set_size(width, browser.run("return document.documentElement.scrollHeight"))
        time.sleep(0.5)
        browser.screenshot(os.path.join(folder, f"{name}-{theme}.png"), full=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", nargs="+", metavar="PAGE.html")
    parser.add_argument("--screenshots", metavar="DIR", help="also write pictures of each page")
    parser.add_argument("--players", type=int, metavar="N", help="expect this many players on each page")
    options = parser.parse_args()
    bad = 0
    with Browser() as browser:
        for page in options.pages:
            problems = check_page(browser, page)
            players = len(browser.find(".player"))
            if options.players is not None and players != options.players:
                problems.append(f"expected {options.players} players but found {players}")
            if options.screenshots:
                take_screenshots(browser, page, options.screenshots)
            pictures = len(browser.run(PICTURES))
            print(f"{page}: {pictures} pictures, {players} players: {'good' if not problems else 'BAD'}")
            for problem in problems:
                print(f"  {problem}")
            bad += bool(problems)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
