"""What every HTML report keeps, checked where it is read: in a browser.

for seen in look(browser, path): assert faults(seen) == []
"""

SMALLEST_LETTERS_PX = 9
LEAST_CONTRAST = 4.5
"""Of text against its background: WCAG 2.2, success criterion 1.4.3, level AA."""

SIZES = ((360, "light"), (360, "dark"), (1280, "light"), (1280, "dark"))
"""Width in CSS pixels and colour scheme: a small telephone and a desk."""

LOOK = """
(() => {
  const within = (a, b) => a.left >= b.left - 1 && a.right <= b.right + 1
      && a.top >= b.top - 1 && a.bottom <= b.bottom + 1;
  const overlap = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 0.5
      && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 0.5;
  const light = colour => {
    const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map(x => x / 255)
        .map(x => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = light(getComputedStyle(document.body).backgroundColor);
  const contrast = colour => {
    const [low, high] = [ground, light(colour)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const outside = [], overlapping = [], small = [], pale = [], invisible = [];
  for (const svg of document.querySelectorAll("svg")) {
    if (!svg.getClientRects().length) continue;  // hidden until it is asked for
    const frame = svg.getBoundingClientRect(), boxes = [];
    for (const label of svg.querySelectorAll("text")) {
      const box = label.getBoundingClientRect(), name = label.textContent;
      if (!within(box, frame)) outside.push(name);
      if (box.width < 1 || box.height < 1) invisible.push(name);
      for (const [other, taken] of boxes) if (overlap(box, taken)) overlapping.push([other, name]);
      boxes.push([name, box]);
      const scale = frame.width / svg.viewBox.baseVal.width;
      const size = parseFloat(getComputedStyle(label).fontSize) * scale;
      if (size < SMALLEST) small.push([name, size]);
      if (contrast(getComputedStyle(label).fill) < LEAST) pale.push(name);
    }
    for (const shape of svg.querySelectorAll("line, circle, path"))
      if (!within(shape.getBoundingClientRect(), frame)) outside.push(shape.outerHTML);
  }
  for (const element of document.querySelectorAll("main *:not(svg, svg *)"))
    if ([...element.childNodes].some(each => each.nodeType === 3 && each.data.trim())
        && contrast(getComputedStyle(element).color) < LEAST) pale.push(element.outerHTML);
  return {
    labels: document.querySelectorAll("svg text").length,
    drawings: document.querySelectorAll("svg").length,
    width: document.documentElement.scrollWidth,
    ground, outside, overlapping, small, pale, invisible,
  };
})()
""".replace("SMALLEST", str(SMALLEST_LETTERS_PX)).replace("LEAST", str(LEAST_CONTRAST))


def look(browser, path, *, pictures=None):
    """The page at every size and scheme; screenshots go to a folder where one is given."""
    for width, scheme in SIZES:
        seen = browser.show(path, LOOK, width=width, scheme=scheme, picture=pictures is not None)
        if pictures is not None:
            (pictures / f"{path.stem}-{width}-{scheme}.png").write_bytes(seen.picture)
        yield seen


def faults(seen):
    """What is wrong with a page as it was shown; an empty list for nothing."""
    where, found = f"{seen.width} px, {seen.scheme}", seen.found
    wrong = [f"{where}: console: {line}" for line in seen.complaints]
    wrong += [f"{where}: asks for {address}" for address in seen.requests]
    wrong += [
        f"{where}: {kind}: {each}"
        for kind in ("outside", "overlapping", "small", "pale", "invisible")
        for each in found[kind]
    ]
    if found["width"] > seen.width:
        wrong.append(f"{where}: {found['width']} px are wider than the window")
    if (found["ground"] < 0.5) != (seen.scheme == "dark"):
        wrong.append(f"{where}: the background is not {seen.scheme}")
    return wrong
