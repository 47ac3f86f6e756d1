// Sorting, filtering and export of tables; the viewer of one model and prompt, with its clips.
"use strict";
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const json = (id) => JSON.parse(document.getElementById(id).textContent);

  function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (value !== null && value !== false) made.setAttribute(key, value === true ? "" : value);
    }
    made.append(...children);
    return made;
  }

  function decode(base64, Type) {
    const text = atob(base64);
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    return new Type(bytes.buffer);
  }

  const three = (value) => (Number.isNaN(value) ? "—" : value.toFixed(3));

  // ---- light and dark -------------------------------------------------------------------------
  const remembered = {
    get: () => { try { return localStorage.getItem("listenread-theme"); } catch { return null; } },
    set: (value) => { try { localStorage.setItem("listenread-theme", value); } catch { /* no storage */ } },
  };

  function useTheme(theme) {
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
  }

  function themeChoice() {
    const choice = $("#theme");
    choice.value = remembered.get() || "auto";
    useTheme(choice.value);
    choice.addEventListener("change", () => { remembered.set(choice.value); useTheme(choice.value); });
  }

  // ---- tables ---------------------------------------------------------------------------------
  const PAGE = 100;

  class ValueTable {
    constructor(table) {
      this.table = table;
      this.body = table.tBodies[0];
      this.heads = [...table.tHead.rows[0].cells];
      this.keyCount = this.heads.filter((head) => !head.classList.contains("value")).length;
      const data = document.getElementById(`${table.id}-data`);
      this.rows = data ? this.fromData(JSON.parse(data.textContent)) : this.fromBody();
      this.shown = data ? PAGE : Infinity;
      this.query = "";
      this.sort = null;
      this.connect();
      this.draw();
    }

    fromBody() {
      return [...this.body.rows].map((row, order) => {
        const cells = [...row.cells];
        const numbers = cells.slice(this.keyCount);
        const read = (name) => numbers.map((cell) => parseFloat(cell.dataset[name] ?? "NaN"));
        return {
          order, element: row, chance: row.classList.contains("chance"),
          keys: cells.slice(0, this.keyCount).map((cell) => cell.textContent.trim()),
          value: read("value"), low: read("low"), high: read("high"),
          mark: numbers.map((cell) => cell.className.replace("value", "").trim().replaceAll("-", " ")),
        };
      });
    }

    fromData(data) {
      const width = this.heads.length - this.keyCount;
      const keys = decode(data.keys, Uint32Array);
      const [value, low, high] = [data.value, data.low, data.high].map((text) => decode(text, Float32Array));
      const [mark, chance] = [data.mark, data.chance].map((text) => decode(text, Uint8Array));
      return Array.from({ length: chance.length }, (_, order) => {
        const from = order * width, to = from + width;
        const own = keys.subarray(order * this.keyCount, (order + 1) * this.keyCount);
        return {
          order, element: null, chance: Boolean(chance[order]),
          keys: Array.from(own, (name, column) => data.names[column][name]),
          value: value.subarray(from, to), low: low.subarray(from, to), high: high.subarray(from, to),
          mark: Array.from(mark.subarray(from, to), (number) => data.marks[number % data.few]),
          few: Array.from(mark.subarray(from, to), (number) => number >= data.few),
        };
      });
    }

    connect() {
      for (const [column, head] of this.heads.entries()) {
        $("button", head).addEventListener("click", () => this.sortBy(column));
      }
      const tools = document.getElementById(`${this.table.id}-tools`);
      this.count = $("output", tools);
      $("input", tools).addEventListener("input", (event) => {
        this.query = event.target.value.toLowerCase();
        if (this.shown !== Infinity) this.shown = PAGE;
        this.draw();
      });
      this.more = $("[data-more]", tools);
      this.more.addEventListener("click", () => { this.shown += PAGE; this.draw(); });
      for (const kind of ["csv", "tex"]) {
        $(`[data-save="${kind}"]`, tools).addEventListener("click", () => this.save(kind));
      }
    }

    sortBy(column) {
      const first = column < this.keyCount ? "ascending" : "descending";
      const second = first === "ascending" ? "descending" : "ascending";
      const now = this.sort && this.sort.column === column ? this.sort.direction : null;
      const direction = now === null ? first : now === first ? second : null;
      this.sort = direction && { column, direction };
      for (const [index, head] of this.heads.entries()) {
        head.setAttribute("aria-sort", index === column && direction ? direction : "none");
      }
      this.draw();
    }

    found() {
      const words = this.query.split(/\s+/).filter(Boolean);
      const rows = this.rows.filter((row) => {
        const text = row.keys.join(" ").toLowerCase();
        return words.every((word) => text.includes(word));
      });
      if (!this.sort) return rows;
      const { column, direction } = this.sort;
      const sign = direction === "ascending" ? 1 : -1;
      const number = column - this.keyCount;
      return rows.sort((a, b) => {
        if (number < 0) return sign * a.keys[column].localeCompare(b.keys[column]) || a.order - b.order;
        const [x, y] = [a.value[number], b.value[number]];
        if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y) || a.order - b.order;
        return sign * (x - y) || a.order - b.order;
      });
    }

    draw() {
      const found = this.found();
      const shown = found.slice(0, this.shown);
      this.body.replaceChildren(...shown.map((row) => (row.element ??= this.build(row))));
      const part = shown.length < found.length ? `${shown.length} of ` : "";
      const all = found.length < this.rows.length ? ` (of ${this.rows.length})` : "";
      this.count.textContent = `${part}${found.length} rows${all}`;
      this.more.hidden = shown.length === found.length;
    }

    build(row) {
      const made = element("tr", { class: row.chance ? "chance" : null });
      row.keys.forEach((key, column) => {
        const last = column === this.keyCount - 1;
        made.append(last ? element("th", { scope: "row" }, key) : element("td", {}, key));
      });
      Array.from(row.value).forEach((value, column) => {
        const mark = row.mark[column].replaceAll(" ", "-");
        const cell = element("td", { class: `value ${mark}`.trim(), "data-value": value }, three(value));
        if (!Number.isNaN(row.low[column])) {
          cell.append(element("small", {}, `${three(row.low[column])}–${three(row.high[column])}${row.few[column] ? "†" : ""}`));
        }
        made.append(cell);
      });
      return made;
    }

    save(kind) {
      const rows = this.found();
      const text = kind === "csv" ? this.asCsv(rows) : this.asLatex(rows);
      const name = this.table.id.replace("table-", "");
      const url = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
      const link = element("a", { href: url, download: `${name}.${kind}` });
      document.body.append(link);
      link.click();
      link.remove();
      setTimeout(() => URL.revokeObjectURL(url), 10000);
    }

    asCsv(rows) {
      const quote = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
      const literal = (text) => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text); // no formula
      const metrics = this.heads.slice(this.keyCount).map((head) => head.dataset.metric);
      const keys = this.heads.slice(0, this.keyCount).map((head) => head.dataset.key);
      const lines = [[...keys, ...metrics.flatMap((m) => [m, `${m}_low`, `${m}_high`])]];
      for (const row of rows) {
        const numbers = metrics.flatMap((_, i) => [row.value[i], row.low[i], row.high[i]]);
        lines.push([...row.keys.map(literal), ...numbers.map((x) => (Number.isNaN(x) ? "" : String(x)))]);
      }
      return lines.map((line) => line.map(quote).join(",") + "\n").join("");
    }

    asLatex(rows) {
      const known = {
        "\\": "\\textbackslash{}", "&": "\\&", "%": "\\%", "$": "\\$", "#": "\\#", "_": "\\_",
        "{": "\\{", "}": "\\}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "′": "$'$",
      };
      const escape = (text) => text.replace(/[\\&%$#_{}~^′]/g, (one) => known[one]);
      const heads = this.heads.map((head) => escape($("button", head).textContent.trim()));
      const cell = (row, i) => {
        if (Number.isNaN(row.value[i])) return "--";
        const value = row.mark[i] === "best" ? `\\textbf{${three(row.value[i])}}` : three(row.value[i]);
        if (Number.isNaN(row.low[i])) return value;
        return `${value} {\\scriptsize [${three(row.low[i])}, ${three(row.high[i])}]}`;
      };
      const line = (cells) => `${cells.join(" & ")} \\\\`;
      const columns = "l".repeat(this.keyCount) + "r".repeat(heads.length - this.keyCount);
      return [
        "\\begin{table}", "\\centering",
        `\\caption{${escape(this.table.caption.textContent.trim())}.}`,
        `\\label{tab:${this.table.id.replace("table-", "").replaceAll("_", "-")}}`,
        `\\begin{tabular}{${columns}}`, "\\toprule", line(heads), "\\midrule",
        ...rows.map((row) => line([...row.keys.map(escape), ...Array.from(row.value, (_, i) => cell(row, i))])),
        "\\bottomrule", "\\end{tabular}", "\\end{table}", "",
      ].join("\n");
    }
  }

  // ---- the viewer of one model and prompt -----------------------------------------------------
  const CLIPS_AT_ONCE = 20;
  const heat = (share) => (share === 0 ? 0 : 1 + [0.1, 0.25, 0.5, 0.75].filter((step) => share >= step).length);

  class Viewer {
    constructor(root) {
      this.root = root;
      this.cells = json("viewer-data");
      this.dialog = $("#clip-dialog");
      this.choices = ["dataset", "model", "prompt"].map((name) => $(`[name="${name}"]`, root));
      this.choices.forEach((choice, level) => choice.addEventListener("change", () => this.refine(level)));
      $("#clip-close").addEventListener("click", () => this.dialog.close());
      this.dialog.addEventListener("click", (event) => { if (event.target === this.dialog) this.dialog.close(); });
      this.dialog.addEventListener("close", () => $$("audio", this.dialog).forEach((sound) => sound.pause()));
      this.refine(-1);
    }

    // Offers in each choice what goes with the choices before it.
    refine(changed) {
      let left = this.cells;
      ["dataset", "model", "prompt"].forEach((name, level) => {
        const choice = this.choices[level];
        const names = [...new Set(left.map((cell) => cell[name]))];
        if (level > changed) {
          const before = choice.value;
          choice.replaceChildren(...names.map((one) => element("option", {}, one)));
          if (names.includes(before)) choice.value = before;
        }
        left = left.filter((cell) => cell[name] === choice.value);
      });
      this.cell = left[0];
      this.draw();
    }

    draw() {
      const { dataset, model, prompt, confusion, variants } = this.cell;
      this.data = datasets.get(dataset);
      $("#viewer-matrix").replaceChildren(this.matrix(this.data.classes, confusion));
      const note = variants > 1 ? ` This is the first of the prompt's ${variants} variants.` : "";
      const listen = this.cell.decisions ? " Open a cell to hear its clips." : "";
      $("#viewer-note").textContent =
        `Rows: the true class; columns: what ${model} took a clip for, prompt “${prompt}”; in % of the row.${listen}${note}`;
      for (const place of $$("[data-figure]", this.root)) {
        const kind = place.dataset.figure;
        const key = `${kind}/${dataset}/${model}/${prompt}`;
        const kept = document.getElementById(`figure:${key}`);
        place.replaceChildren(kept ? kept.content.cloneNode(true) : this.linked(key));
      }
    }

    linked(key) {
      if (!figureKeys.has(key)) return "";
      return element("figure", {},
        element("img", { src: `figures/${key}.svg`, alt: key }),
        element("figcaption", {}, element("a", { href: `figures/${key}.svg` }, key)));
    }

    matrix(classes, confusion) {
      const head = element("tr", {}, element("td", {}));
      for (const name of classes) head.append(element("th", { scope: "col" }, element("span", {}, name)));
      const body = element("tbody");
      confusion.forEach((counts, truth) => {
        const row = element("tr", {}, element("th", { scope: "row" }, classes[truth]));
        const support = counts.reduce((sum, count) => sum + count, 0);
        counts.forEach((count, taken) => {
          const share = support ? count / support : 0;
          const place = element("td", { class: truth === taken ? "own" : null });
          const text = count ? (100 * share).toFixed(0) : "·";
          if (count && this.cell.decisions) {
            const label = `${count} of ${support} clips of ${classes[truth]} taken for ${classes[taken]}`;
            const button = element("button", {
              type: "button", class: `heat-${heat(share)}`, "aria-label": label, title: label, tabindex: -1,
            }, text);
            button.addEventListener("click", () => this.open(truth, taken, label));
            place.append(button);
          } else {
            place.append(element("span", { class: `heat-${heat(share)}` }, text));
          }
          row.append(place);
        });
        body.append(row);
      });
      const table = element("table", { class: "confusion", id: "confusion" },
        element("caption", {}, "Confusion matrix"), element("thead", {}, head), body);
      this.arrows(table);
      return table;
    }

    // One stop of the tab key for the whole matrix; arrow keys move within it.
    arrows(table) {
      const first = $("button", table);
      if (first) first.tabIndex = 0;
      table.addEventListener("keydown", (event) => {
        const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
        if (!step || event.target.tagName !== "BUTTON") return;
        event.preventDefault();
        const next = this.neighbour(event.target, ...step);
        if (next) {
          event.target.tabIndex = -1;
          next.tabIndex = 0;
          next.focus();
        }
      });
    }

    // The next cell with clips: along the row, or the nearest one in the next row that has any.
    neighbour(button, down, right) {
      const place = button.closest("td");
      const column = (other) => other.closest("td").cellIndex;
      let row = place.parentElement;
      if (right) {
        const along = $$("button", row);
        return along[along.indexOf(button) + right];
      }
      while ((row = down > 0 ? row.nextElementSibling : row.previousElementSibling)) {
        const distance = (other) => Math.abs(column(other) - place.cellIndex);
        const near = $$("button", row).sort((a, b) => distance(a) - distance(b));
        if (near.length) return near[0];
      }
      return null;
    }

    decisions() {
      const packed = this.cell.decisions;
      return {
        k: packed.k, top: decode(packed.top, Uint16Array), similarity: decode(packed.similarity, Float32Array),
        rank: decode(packed.rank, Uint16Array), own: decode(packed.own, Float32Array),
      };
    }

    open(truth, taken, title) {
      const found = this.decisions();
      const clips = [];
      this.data.labels.forEach((label, clip) => {
        if (label === truth && found.top[clip * found.k] === taken) clips.push(clip);
      });
      $("#clip-title").textContent = title;
      const list = $("#clip-list");
      list.replaceChildren();
      const more = $("#clip-more");
      const show = () => {
        const start = $$(".clip", list).length;
        list.append(...clips.slice(start, start + CLIPS_AT_ONCE).map((clip) => this.clip(clip, found)));
        more.hidden = $$(".clip", list).length >= clips.length;
      };
      more.onclick = show;
      show();
      this.dialog.showModal();
      $("#clip-close").focus();
    }

    clip(clip, found) {
      const { ids, classes, labels, links, sounds } = this.data;
      const embedded = sounds[clip];
      const link = links[clip] && links[clip].split("/").map(encodeURIComponent).join("/");
      const source = embedded ? `data:audio/mpeg;base64,${embedded}` : link;
      const sound = element("audio", {
        controls: true, preload: embedded ? "metadata" : "none", src: source, "aria-label": `clip ${ids[clip]}`,
      });
      const heard = !source ? ["its sound is not available"] : !embedded ? ["the original file"]
        : link ? ["a compact copy; ", element("a", { href: link }, "the original file")] : ["a compact copy"];
      const list = element("ol", { "aria-label": `the ${found.k} nearest labels` });
      const highest = found.similarity[clip * found.k];
      const lowest = Math.min(found.own[clip], found.similarity[(clip + 1) * found.k - 1]);
      const line = (name, similarity, own) => {
        const width = 8 + (92 * (similarity - lowest)) / Math.max(highest - lowest, 1e-9);
        const bar = element("span", {}, element("span", { class: "bar", style: `display:block;width:${width.toFixed(1)}%` }));
        return element("li", { class: own ? "own" : null }, element("span", {}, name), bar, element("b", {}, similarity.toFixed(3)));
      };
      for (let i = clip * found.k; i < (clip + 1) * found.k; i++) {
        list.append(line(classes[found.top[i]], found.similarity[i], found.top[i] === labels[clip]));
      }
      if (found.rank[clip] >= found.k) {
        list.append(line(`${found.rank[clip] + 1}. ${classes[labels[clip]]}`, found.own[clip], true));
      }
      return element("article", { class: "clip" }, element("h4", {}, ids[clip]),
        element("div", {}, source ? sound : "", element("p", {}, ...heard)), list);
    }
  }

  // ---- start ----------------------------------------------------------------------------------
  const datasets = new Map($$("script[data-clips]").map((one) => {
    const data = JSON.parse(one.textContent);
    return [data.name, data];
  }));
  const figureKeys = new Set(json("figure-keys"));
  themeChoice();
  $$("table.wide").forEach((table) => new ValueTable(table));
  const viewer = $("#viewer");
  if (viewer) new Viewer(viewer);
  for (const button of $$("[data-copy]")) {
    button.addEventListener("click", async () => {
      const text = document.getElementById(button.dataset.copy).textContent;
      try {
        await navigator.clipboard.writeText(text);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(document.getElementById(button.dataset.copy));
      }
    });
  }
})();
