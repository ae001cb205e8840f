// No ampersand or less-than sign in here: a page is well-formed XML, too.

// What a cell says, without its picture.
const said = (cell) => (cell.querySelector(".said") ?? cell).textContent;

// A click on a column's header sorts its table; a second click turns the order around. Rows without a value stay last.
for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => {
    const header = button.closest("th");
    const body = header.closest("table").tBodies[0];
    const order = header.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
    for (const other of header.parentElement.cells) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", order);
    const sign = order === "ascending" ? 1 : -1;
    const numeric = header.classList.contains("n");
    const key = (row) => {
      const cell = row.cells[header.cellIndex];
      return numeric ? parseFloat(cell.dataset.value ?? "NaN") : said(cell);
    };
    const compare = (a, b) => {
      if (!numeric) return sign * a.localeCompare(b, undefined, { numeric: true });
      if (isNaN(a) || isNaN(b)) return isNaN(a) - isNaN(b);
      return sign * (a - b);
    };
    body.append(...[...body.rows].sort((a, b) => compare(key(a), key(b))));
  });
}

// On paper nothing can be opened, so everything is; afterwards it is as it was.
const folded = () => document.querySelectorAll("details:not([open])");
let opened = [];
addEventListener("beforeprint", () => { opened = [...folded()]; opened.forEach((part) => (part.open = true)); });
addEventListener("afterprint", () => opened.forEach((part) => (part.open = false)));

// Each chart can be saved as it looks, with its title and legend: as SVG to edit, as PNG to paste.
const SVG = "http://www.w3.org/2000/svg";
const STYLES = ["color", "fill", "fill-opacity", "font-family", "font-size", "font-weight", "opacity", "stroke",
  "stroke-dasharray", "stroke-linejoin", "stroke-width", "text-anchor"];

function drawn(name, attributes, text = "") {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
}

// A copy that needs no style sheet.
function styled(source) {
  const copy = source.cloneNode(true);
  const copies = [copy, ...copy.querySelectorAll("*")];
  [source, ...source.querySelectorAll("*")].forEach((element, place) => {
    const style = getComputedStyle(element);
    copies[place].setAttribute("style", STYLES.map((key) => `${key}:${style.getPropertyValue(key)}`).join(";"));
  });
  for (const target of copy.querySelectorAll(".target")) target.remove();
  return copy;
}

function picture(figure) {
  const chart = figure.querySelector("svg[role=img]");
  const around = figure.getBoundingClientRect();
  const heading = figure.querySelector("h3");
  const legends = [...figure.querySelectorAll(".legend li, .scale")];
  const parts = [heading, ...legends, chart].map((part) => part.getBoundingClientRect());
  const width = Math.ceil(Math.max(...parts.map((box) => box.right)) - around.left) + 32;
  const height = Math.ceil(Math.max(...parts.map((box) => box.bottom)) - around.top) + 32;
  const whole = drawn("svg", { xmlns: SVG, width, height, viewBox: `-16 -16 ${width} ${height}` });
  const paper = getComputedStyle(document.body).backgroundColor;
  whole.append(drawn("rect", { x: -16, y: -16, width, height, fill: paper }));
  const place = (element) => {
    const box = element.getBoundingClientRect();
    return { x: box.left - around.left, y: box.top - around.top, width: box.width, height: box.height };
  };
  const put = (source) => {
    const copy = styled(source);
    for (const [key, value] of Object.entries(place(source))) copy.setAttribute(key, value);
    whole.append(copy);
  };
  const words = (node) => {
    const range = document.createRange();
    range.selectNodeContents(node);
    const box = range.getBoundingClientRect();
    const style = getComputedStyle(node.parentElement);
    const size = parseFloat(style.fontSize);
    const where = { x: box.left - around.left, y: box.top - around.top + box.height / 2 + size * 0.35 };
    const font = `font:${style.fontWeight} ${style.fontSize} ${style.fontFamily};fill:${style.color}`;
    whole.append(drawn("text", { ...where, style: font }, node.textContent));
  };
  words(heading.firstChild);
  for (const item of legends) {
    for (const node of item.childNodes) {
      if (node.nodeType === Node.TEXT_NODE) words(node);
      else if (node.tagName === "svg") put(node);
      else {
        const style = getComputedStyle(node);
        const { x, y, ...size } = place(node);
        const filled = size.height > 4;
        const fill = filled ? style.backgroundColor : style.borderTopColor;
        const dashed = filled ? false : style.borderTopStyle === "dashed";
        const mark = dashed
          ? drawn("path", { d: `M${x} ${y}h${size.width}`, stroke: fill, "stroke-width": 2, "stroke-dasharray": "6 4" })
          : drawn("rect", { x, y, ...size, fill, opacity: style.opacity });
        whole.append(mark);
      }
    }
  }
  put(chart);
  return { text: new XMLSerializer().serializeToString(whole), width, height };
}

function download(name, href) {
  const link = document.createElement("a");
  link.download = name;
  link.href = href;
  link.click();
}

for (const figure of document.querySelectorAll("figure:has(svg[role=img])")) {
  const name = figure.querySelector("h3").textContent.replace(/[^\p{L}\p{N}%]+/gu, "-");
  const save = (kind, action) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = kind;
    button.title = `Save this chart as ${kind}`;
    button.addEventListener("click", () => action(picture(figure)));
    return button;
  };
  const source = ({ text }) => `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  const buttons = document.createElement("span");
  buttons.className = "save";
  buttons.append(
    save("SVG", (made) => download(`${name}.svg`, source(made))),
    save("PNG", (made) => {
      const image = new Image();
      image.onload = () => {
        const canvas = document.createElement("canvas");
        [canvas.width, canvas.height] = [2 * made.width, 2 * made.height];
        canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
        download(`${name}.png`, canvas.toDataURL("image/png"));
      };
      image.src = source(made);
    }),
  );
  figure.querySelector("h3").append(buttons);
}

// Each table can be taken as CSV, figures with all their digits. What a spreadsheet would take for a formula is text.
function field(cell) {
  const text = cell.dataset.value ?? said(cell).replace(/^\u2013$/, "").replace(/^([=+\-@\t\r])/, "'$1");
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function csv(table) {
  return [...table.rows].map((row) => [...row.cells].map(field).join(",") + "\r\n").join("");
}

for (const table of document.querySelectorAll("table")) {
  const caption = table.caption.querySelector("span");
  const part = table.closest("section")?.id ?? "table";
  const buttons = document.createElement("span");
  const button = document.createElement("button");
  buttons.className = "save";
  Object.assign(button, { type: "button", textContent: "CSV", title: "Save this table as CSV" });
  // The mark of UTF-8, without which some spreadsheets take letters for others.
  const source = () => `data:text/csv;charset=utf-8,${encodeURIComponent("\ufeff" + csv(table))}`;
  button.addEventListener("click", () => download(`${document.querySelector("h1").textContent}-${part}.csv`, source()));
  buttons.append(button);
  caption.append(buttons);
}

// Pointing at a class in a map's legend leaves its points alone in sight.
for (const item of document.querySelectorAll(".legend [data-class]")) {
  const others = item.closest("figure").querySelectorAll(`.bank g:not([data-class="${item.dataset.class}"])`);
  item.addEventListener("pointerenter", () => others.forEach((group) => group.classList.add("away")));
  item.addEventListener("pointerleave", () => others.forEach((group) => group.classList.remove("away")));
}
