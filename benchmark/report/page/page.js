"use strict";
(() => {
  const root = document.documentElement;
  const one = (selector, from = document) => from.querySelector(selector);
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  root.classList.add("scripted");

  // What the reader has set up: the theme for good, the rest for as long as the tab is open. A browser may refuse both.
  const store = (where, key) => ({
    get() { try { return JSON.parse(window[where].getItem(key)); } catch { return null; } },
    set(value) { try { window[where].setItem(key, JSON.stringify(value)); } catch { /* it lasts as long as the page */ } },
  });
  const theme = store("localStorage", "koopbench.theme");
  const tab = store("sessionStorage", "koopbench.report " + location.pathname);
  const state = { hidden: [], image: 1, seed: null, sort: {}, ...tab.get() };
  const keep = (change) => tab.set(Object.assign(state, change));

  // What the page shows, which a later version may take the place of.
  const readData = (from) => JSON.parse(from.getElementById("data").textContent);
  let data = readData(document);

  const dress = (name) => {
    if (name === "light" || name === "dark") root.dataset.theme = name;
    else delete root.dataset.theme;
  };
  for (const radio of all("input[name=theme]")) {
    radio.checked = radio.value === (theme.get() ?? "auto");
    if (radio.checked) dress(radio.value);
    radio.addEventListener("change", () => { dress(radio.value); theme.set(radio.value); });
  }

  // Tables: a button in each header sorts the rows of each body.
  const valueOf = (row, column) => {
    const cell = row.cells[column];
    const text = cell.dataset.value ?? cell.textContent.trim();
    return text !== "" && !Number.isNaN(Number(text)) ? Number(text) : text;
  };
  const compare = (a, b) => {
    const absent = (v) => v === "" || v === "–";
    if (absent(a) || absent(b)) return absent(a) - absent(b); // last either way
    if (typeof a === "number" && typeof b === "number") return a - b;
    return String(a).localeCompare(String(b), "en", { numeric: true });
  };
  const sort = (table, column, direction) => {
    for (const body of table.tBodies) {
      const rows = [...body.rows].filter((row) => !row.classList.contains("group"));
      const keyed = rows.map((row) => ({ row, value: valueOf(row, column) }));
      keyed.sort((a, b) => {
        const order = compare(a.value, b.value);
        const missing = a.value === "" || a.value === "–" || b.value === "" || b.value === "–";
        return direction === "descending" && !missing ? -order : order;
      });
      body.append(...keyed.map((k) => k.row));
    }
    all("thead th", table).forEach((th, i) => {
      if (i === column) th.setAttribute("aria-sort", direction);
      else th.removeAttribute("aria-sort");
    });
  };
  const headOf = (th) => th.firstElementChild?.firstChild?.data ?? th.textContent;
  const startTables = () => all("table.sortable").forEach((table) => {
    all("thead th", table).forEach((th, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...th.childNodes);
      th.append(button);
      button.addEventListener("click", () => {
        const now = th.getAttribute("aria-sort");
        const first = th.classList.contains("most") ? "descending" : "ascending";
        const direction = now === null ? first : now === "ascending" ? "descending" : "ascending";
        sort(table, column, direction);
        keep({ sort: { ...state.sort, [table.id]: [headOf(th), direction] } });
      });
    });
    const [name, direction] = state.sort[table.id] ?? [];
    const column = all("thead th", table).findIndex((th) => headOf(th) === name);
    if (column >= 0) sort(table, column, direction);
  });

  // The legend shows and hides curves, and gives their values at the step under the pointer.
  const startLegend = () => {
    const figure = one("#score-figure");
    if (!figure) return;
    const boxes = all("input[data-series]", figure);
    const show = () => {
      for (const box of boxes) {
        for (const g of all(`g[data-series="${box.dataset.series}"]`, figure)) g.classList.toggle("off-series", !box.checked);
        box.closest("label").classList.toggle("off", !box.checked);
      }
      keep({ hidden: boxes.filter((b) => !b.checked).map((b) => data.names[b.dataset.series] ?? b.dataset.series) });
    };
    for (const box of boxes) {
      box.checked = !state.hidden.includes(data.names[box.dataset.series] ?? box.dataset.series);
      box.addEventListener("change", show);
    }
    for (const button of all("button[data-show]", figure)) {
      button.addEventListener("click", () => { for (const box of boxes) box.checked = button.dataset.show === "all"; show(); });
    }
    show();
    const light = (label, on) => {
      for (const svg of all(".chart svg", figure)) svg.classList.toggle("focus", on && boxes.some((b) => b.dataset.series === label.dataset.series && b.checked));
      for (const g of all(`g[data-series="${label.dataset.series}"]`, figure)) g.classList.toggle("lit", on);
    };
    for (const label of all("label[data-series]", figure)) {
      label.addEventListener("pointerenter", () => light(label, true));
      label.addEventListener("pointerleave", () => light(label, false));
    }
    const nearest = (step) => data.steps.reduce((best, s, i) => Math.abs(s - step) < Math.abs(data.steps[best] - step) ? i : best, 0);
    const read = (index) => {
      const step = data.steps[index];
      one("#legend-step", figure).textContent = "t = " + step;
      for (const value of all("[data-value]", figure)) {
        const series = data.scores[value.dataset.value];
        if (series) value.textContent = series[index];
      }
    };
    for (const svg of all(".chart svg", figure)) {
      const [left, right, steps] = ["left", "right", "steps"].map((name) => Number(svg.dataset[name]));
      const at = (step) => steps > 1 ? left + (right - left) * (step - 1) / (steps - 1) : left;
      const guide = one(".guide", svg);
      svg.addEventListener("pointermove", (event) => {
        const box = svg.getBoundingClientRect();
        const x = (event.clientX - box.left) * svg.viewBox.baseVal.width / box.width;
        const index = nearest(steps > 1 ? 1 + (x - left) / (right - left) * (steps - 1) : 1);
        guide.setAttribute("transform", `translate(${at(data.steps[index]) - left})`);
        guide.removeAttribute("visibility");
        read(index);
      });
      svg.addEventListener("pointerleave", () => { guide.setAttribute("visibility", "hidden"); read(nearest(data.rest)); });
    }
  };

  // The roll-out: which test image, and which seed.
  const startRollout = () => {
    const slider = one("#image");
    if (!slider) return;
    const r = data.rollout, choice = one("#seed"), text = one("#image-text");
    const first = r.seed;
    const inPage = Object.fromEntries(all("image[data-sprite]").map((image) => [image.dataset.sprite, image.getAttribute("href")]));
    const move = (cell, column) => {
      const use = one("use", cell);
      if (!use) return;
      use.setAttribute("x", -column * r.width);
      use.setAttribute("y", -(slider.value - 1) * r.height);
    };
    const draw = () => {
      const image = slider.value - 1, seed = choice.value;
      const truth = (column) => r.truth[image]?.[column + 1] ?? null; // -1 for the start
      for (const cell of all(".rollout [data-column]")) {
        cell.textContent = truth(Number(cell.dataset.column)) ?? "?";
      }
      for (const row of all(".rollout tbody tr")) {
        const method = row.dataset.method;
        move(row.cells[1], 0);
        if (method === undefined) { all(".cell", row).forEach(move); continue; } // the truth
        const run = (r.runs[method] ?? []).find((x) => String(x.seed) === seed);
        const shown = run && run.labels;
        row.classList.toggle("without", !shown);
        one(".which", row).textContent = run ? run.text : "no run at seed " + seed;
        if (!shown) {
          for (const seen of all(".seen", row)) { seen.textContent = ""; seen.className = "seen"; }
          continue;
        }
        const source = run.image ? "data:image/png;base64," + run.image : inPage[method];
        const sprite = document.getElementById("sprite-" + method);
        if (sprite.getAttribute("href") !== source) sprite.setAttribute("href", source);
        all(".cell", row).forEach((cell, column) => {
          move(cell, column);
          const label = run.labels[image]?.[column], right = label === truth(column);
          const seen = one(".seen", cell);
          if (label === undefined) { seen.textContent = ""; seen.className = "seen"; return; }
          seen.className = "seen " + (right ? "right" : "wrong");
          seen.textContent = label ?? "";
          const words = document.createElement("span");
          words.className = "unseen";
          words.textContent = right ? " right" : " wrong";
          seen.append(words);
        });
      }
      const state = truth(-1) === null ? "" : `, ${r.word} ${truth(-1)}`;
      text.textContent = `${r.picture} ${slider.value} of ${slider.max}${state}; seed ${seed}`;
      slider.setAttribute("aria-valuetext", `${r.picture} ${slider.value} of ${slider.max}${state}`);
    };
    slider.value = Math.min(Math.max(1, state.image), slider.max);
    choice.value = [...choice.options].some((o) => o.value === state.seed) ? state.seed : first;
    slider.addEventListener("input", () => { draw(); keep({ image: Number(slider.value) }); });
    choice.addEventListener("change", () => { draw(); keep({ seed: choice.value }); });
    draw();
  };

  // The command, copied.
  const startCopy = () => {
    const copy = one("#copy");
    copy?.addEventListener("click", async () => {
      const command = one("#command"), told = one("#copied");
      try {
        await navigator.clipboard.writeText(command.textContent);
        copy.textContent = "Copied";
        told.textContent = "The command was copied";
        setTimeout(() => { copy.textContent = "Copy"; told.textContent = ""; }, 2000);
      } catch {
        getSelection().selectAllChildren(command);
        told.textContent = "The command is selected; copy it with the keyboard";
      }
    });
  };

  const start = () => { startTables(); startLegend(); startRollout(); startCopy(); };
  start();

  // Served while runs are under way: the page asks how far they are and, when more have finished, puts what is new in the
  // place of what it shows. What the reader has opened, scrolled to or is typing at stays.
  const body = document.body;
  if (body.dataset.version === undefined) return;
  let held = false; // a pointer is down: something is being dragged
  for (const [event, down] of [["pointerdown", true], ["pointerup", false], ["pointercancel", false]]) {
    addEventListener(event, () => { held = down; }, true);
  }
  const busy = () => {
    try { return held || one("select:open") !== null; } catch { return held; }
  };
  const focusable = "a, button, input, select, summary, [tabindex]";
  const place = () => {
    const at = document.activeElement, section = at?.closest("section, header, nav");
    const spots = all("section").filter((s) => s.getBoundingClientRect().bottom > 0);
    return {
      open: all("details[open]").map((d) => all("details").indexOf(d)),
      aside: all(".scroll").map((s) => [s.getAttribute("aria-labelledby") ?? s.ariaLabel, s.scrollLeft]),
      section: section && [section.getAttribute("aria-labelledby") ?? section.nodeName, all(focusable, section).indexOf(at)],
      spot: spots[0] && [spots[0].getAttribute("aria-labelledby"), spots[0].getBoundingClientRect().top],
    };
  };
  const sectionOf = (name) => all("section, header, nav").find((s) => (s.getAttribute("aria-labelledby") ?? s.nodeName) === name);
  const replace = (next) => {
    const before = place();
    for (const selector of [".top .fresh", "nav", "main"]) {
      const now = one(selector), then = one(selector, next);
      if (now && then) now.replaceWith(document.adoptNode(then));
      else if (then) one("header.top").after(document.adoptNode(then)); // the first run brings the list of sections
    }
    data = readData(next);
    body.dataset.version = next.body.dataset.version;
    document.title = next.title;
    start();
    const details = all("details");
    for (const i of before.open) if (details[i]) details[i].open = true;
    for (const scroll of all(".scroll")) {
      scroll.scrollLeft = before.aside.find(([name]) => name === (scroll.getAttribute("aria-labelledby") ?? scroll.ariaLabel))?.[1] ?? 0;
    }
    const section = before.section && sectionOf(before.section[0]);
    if (section && !section.contains(document.activeElement)) all(focusable, section)[before.section[1]]?.focus({ preventScroll: true });
    const spot = before.spot && sectionOf(before.spot[0]);
    if (spot) scrollBy({ top: spot.getBoundingClientRect().top - before.spot[1], behavior: "instant" });
  };
  const live = one("#live");
  const say = (text) => { if (live.textContent !== text) live.textContent = text; };
  const ask = async () => {
    try {
      const answer = await fetch("progress", { cache: "no-cache" });
      if (!answer.ok) throw new Error(answer.statusText);
      const progress = await answer.json();
      if (progress.version !== body.dataset.version && !busy()) {
        const page = await fetch("./", { cache: "no-cache" });
        if (!page.ok) throw new Error(page.statusText);
        const next = new DOMParser().parseFromString(await page.text(), "text/html");
        const ours = (from) => one("script:not([type])", from).textContent + one("style", from).textContent;
        if (ours(next) !== ours(document)) { location.reload(); return; } // another koopbench
        if (!busy()) replace(next);
      }
      say(progress.text);
    } catch {
      say("The server has stopped. This is the last page that it sent.");
    }
    setTimeout(ask, 2000);
  };
  setTimeout(ask, 2000);
})();
