// The graph viewer in the browser: a canvas, and the same as a table. The kernel has placed the
// nodes; here they are only drawn, moved and chosen. Names are only ever set as text.

const KINDS = ["technology", "person", "place", "organisation", "concept", "code", "date", "event"];
const COLOURS = [
  "--jp-brand-color1", "--jp-warn-color0", "--jp-success-color0", "--jp-error-color1",
  "--jp-info-color0", "--jp-mirror-editor-keyword-color", "--jp-mirror-editor-meta-color",
  "--jp-mirror-editor-number-color",
];
const FALLBACKS = ["#1565c0", "#b26a00", "#2e7d32", "#c62828", "#00838f", "#6a1b9a", "#5d4037", "#37474f"];
const ROWS = 200;
const NEAR = 14;
const MOST_LABELS = 90;

function render({ model, el }) {
  const ask = makeAsk(model);
  const title = make("strong", { className: "hxw-title" });
  const search = make("input", { type: "search", "aria-label": "Find an entity", placeholder: "Find an entity" });
  const searching = make("form", { role: "search", className: "hxw-row" }, search, make("button", { type: "submit", text: "Find" }));
  searching.addEventListener("submit", (event) => {
    event.preventDefault();
    if (search.value.trim()) ask("search", search.value.trim());
  });
  const slider = make("input", { type: "range", min: "0", max: "1", step: "0.05", value: "0", "aria-label": "Least strength of relations" });
  const least = make("span", { className: "hxw-number" });
  const closer = makeButton("+", () => zoom(1.3), { "aria-label": "Closer" });
  const farther = makeButton("−", () => zoom(1 / 1.3), { "aria-label": "Farther" });
  const whole = makeButton("All", () => fitAll(), { "aria-label": "Show the whole graph" });
  const status = make("p", { className: "hxw-status", role: "status" });
  const canvas = make("canvas", { className: "hxw-graph", tabindex: "0", role: "img" });
  const legend = make("p", { className: "hxw-legend" });
  const open = makeButton("Open", () => chosen && ask("expand", chosen));
  const rows = make("tbody");
  const counted = make("summary", { text: "Relations as a table" });
  const head = make("tr", {}, ...["from", "relation", "to", "strength", ""].map((text) => make("th", { scope: "col", text })));
  const table = make("details", {}, counted,
    make("div", { className: "hxw-scroller", role: "region", tabindex: "0", "aria-label": "Relations" },
      make("table", {}, make("thead", {}, head), rows)));
  el.classList.add("hxw", "hxw-wide");
  el.append(
    make("div", { className: "hxw-row" }, title),
    make("div", { className: "hxw-row" }, searching, make("label", { className: "hxw-row hxw-slider", text: "Strength from " }, slider, least), closer, farther, whole, open),
    status, canvas, legend, table,
  );
  // JupyterLab's shortcuts are not meant while somebody works here.
  el.addEventListener("keydown", (event) => event.stopPropagation());

  let nodes = [];
  let edges = [];
  let byId = new Map();
  let shownEdges = [];
  let chosen = null;
  let view = { scale: 1, x: 0, y: 0 };
  let size = { width: 0, height: 0 };
  let pending = 0;
  let isFitted = false;
  let palette = [];
  let ink = "#1f2328";
  let paper = "#fff";
  let line = "#8a8a8a";

  const colourOf = (node) => palette[KINDS.indexOf(node.type)] || line;
  const readColours = () => {
    const style = getComputedStyle(el);
    const read = (name, fallback) => style.getPropertyValue(name).trim() || fallback;
    palette = COLOURS.map((name, place) => read(name, FALLBACKS[place]));
    ink = read("--jp-ui-font-color1", "#1f2328");
    paper = read("--jp-layout-color1", "#fff");
    line = read("--jp-border-color0", "#8a8a8a");
  };
  const toScreen = (node) => [node.x * view.scale + view.x, node.y * view.scale + view.y];
  const radiusOf = (node) => Math.min(14, 4 + Math.sqrt(node.degree));
  const later = () => {
    if (!pending) pending = requestAnimationFrame(drawNow);
  };

  const drawEdges = (pen) => {
    for (const edge of shownEdges) {
      const touches = edge.source === chosen || edge.target === chosen;
      const [x1, y1] = toScreen(byId.get(edge.source));
      const [x2, y2] = toScreen(byId.get(edge.target));
      pen.globalAlpha = touches ? 1 : 0.45;
      pen.lineWidth = (touches ? 1 : 0.5) + 1.5 * (edge.strength ?? 0.5);
      pen.strokeStyle = touches ? ink : line;
      pen.beginPath();
      pen.moveTo(x1, y1);
      pen.lineTo(x2, y2);
      pen.stroke();
    }
    pen.globalAlpha = 1;
  };
  const drawLabel = (pen, node, taken) => {
    const [x, y] = toScreen(node);
    const left = x + radiusOf(node) + 3;
    const right = left + 7 * node.name.length;
    const meets = (box) => left < box.right && right > box.left && Math.abs(y - box.y) < 14;
    if (taken.some(meets)) return;
    taken.push({ left, right, y });
    pen.lineWidth = 3;
    pen.strokeStyle = paper;
    pen.strokeText(node.name, left, y);
    pen.fillStyle = ink;
    pen.fillText(node.name, left, y);
  };
  const drawNodes = (pen) => {
    for (const node of nodes) {
      const [x, y] = toScreen(node);
      pen.globalAlpha = node.visible ? 1 : 0.25;
      pen.beginPath();
      pen.arc(x, y, radiusOf(node), 0, 2 * Math.PI);
      pen.fillStyle = colourOf(node);
      pen.fill();
      if (node.id === chosen) {
        pen.lineWidth = 3;
        pen.strokeStyle = ink;
        pen.stroke();
      }
    }
    pen.globalAlpha = 1;
    pen.font = `12px ${getComputedStyle(el).fontFamily}`;
    pen.textBaseline = "middle";
    const inSight = nodes.filter((node) => {
      const [x, y] = toScreen(node);
      return node.visible && x > 0 && y > 0 && x < size.width && y < size.height;
    });
    inSight.sort((one, other) => other.degree - one.degree);
    const taken = [];
    if (byId.has(chosen)) drawLabel(pen, byId.get(chosen), taken);
    for (const node of inSight) {
      if (taken.length >= MOST_LABELS) break;
      drawLabel(pen, node, taken);
    }
  };
  const drawNow = () => {
    pending = 0;
    const started = performance.now();
    const ratio = window.devicePixelRatio || 1;
    size = { width: canvas.clientWidth, height: canvas.clientHeight };
    if (!size.width) return;
    if (!isFitted) fit();
    if (canvas.width !== Math.round(size.width * ratio)) canvas.width = Math.round(size.width * ratio);
    if (canvas.height !== Math.round(size.height * ratio)) canvas.height = Math.round(size.height * ratio);
    const pen = canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    readColours();
    pen.clearRect(0, 0, size.width, size.height);
    drawEdges(pen);
    drawNodes(pen);
    canvas.dataset.drawMs = (performance.now() - started).toFixed(1);
    canvas.dataset.nodes = String(nodes.length);
  };

  const fitAll = () => {
    isFitted = false;
    later();
  };
  const fit = () => {
    isFitted = true;
    const xs = nodes.map((node) => node.x);
    const ys = nodes.map((node) => node.y);
    const [left, right, top, bottom] = nodes.length ? [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)] : [-1, 1, -1, 1];
    const room = [size.width - 140, size.height - 50];
    view.scale = Math.max(20, Math.min(room[0] / (right - left || 1), room[1] / (bottom - top || 1), 600));
    view.x = size.width / 2 - 30 - (view.scale * (left + right)) / 2;
    view.y = size.height / 2 - (view.scale * (top + bottom)) / 2;
  };
  const zoom = (factor, x = size.width / 2, y = size.height / 2) => {
    const scale = Math.max(10, Math.min(view.scale * factor, 20000));
    view.x = x - ((x - view.x) * scale) / view.scale;
    view.y = y - ((y - view.y) * scale) / view.scale;
    view.scale = scale;
    later();
  };

  const choose = (id) => {
    chosen = id;
    const node = byId.get(id);
    open.disabled = !node || !node.is_entity || !model.get("state").can_open;
    open.textContent = node ? `Open ${node.name}` : "Open";
    canvas.dataset.chosen = node ? node.name : "";
    describe();
    later();
  };
  const describe = () => {
    const state = model.get("state");
    const node = byId.get(chosen);
    const parts = [`${nodes.length.toLocaleString()} nodes`, `${shownEdges.length.toLocaleString()} of ${edges.length.toLocaleString()} relations`];
    if (node) parts.push(`${node.name} (${node.type}), ${node.degree} relations`);
    status.textContent = `${parts.join(" · ")}${state.notice ? `. ${state.notice}` : ""}`;
    canvas.setAttribute("aria-label", `${state.title}: ${parts.join(", ")}. Arrow keys choose a node, Enter opens it; the table below holds the same.`);
  };

  const nearest = (x, y) => {
    let best = null;
    let least2 = NEAR * NEAR;
    for (const node of nodes) {
      const [nx, ny] = toScreen(node);
      const far = (nx - x) ** 2 + (ny - y) ** 2;
      if (far < least2) [best, least2] = [node, far];
    }
    return best;
  };
  const step = (dx, dy) => {
    const from = byId.get(chosen);
    if (!from) return choose(nodes.length ? nodes[0].id : null);
    let best = null;
    let least2 = Infinity;
    for (const node of nodes) {
      const along = (node.x - from.x) * dx + (node.y - from.y) * dy;
      const beside = Math.abs((node.x - from.x) * dy - (node.y - from.y) * dx);
      if (node !== from && along > 0 && along + 2 * beside < least2) [best, least2] = [node, along + 2 * beside];
    }
    if (best) choose(best.id);
  };
  const expand = (id) => {
    choose(id);
    if (byId.get(id).is_entity && model.get("state").can_open) ask("expand", id);
  };
  const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  canvas.addEventListener("keydown", (event) => {
    if (STEPS[event.key]) step(...STEPS[event.key]);
    else if (event.key === "Enter" && byId.has(chosen)) expand(chosen);
    else if (event.key === "+") zoom(1.3);
    else if (event.key === "-") zoom(1 / 1.3);
    else return;
    event.preventDefault();
  });

  let dragged = null;
  canvas.addEventListener("pointerdown", (event) => {
    dragged = { x: event.offsetX, y: event.offsetY, moved: false };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!dragged) {
      const node = nearest(event.offsetX, event.offsetY);
      canvas.style.cursor = node ? "pointer" : "grab";
      canvas.title = node ? `${node.name} (${node.type})` : "";
      return;
    }
    const [dx, dy] = [event.offsetX - dragged.x, event.offsetY - dragged.y];
    if (!dragged.moved && Math.hypot(dx, dy) < 4) return;
    dragged = { x: event.offsetX, y: event.offsetY, moved: true };
    view.x += dx;
    view.y += dy;
    later();
  });
  canvas.addEventListener("pointerup", (event) => {
    const node = dragged && !dragged.moved ? nearest(event.offsetX, event.offsetY) : null;
    dragged = null;
    if (node) expand(node.id);
  });
  canvas.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && document.activeElement !== canvas) return;
    event.preventDefault();
    zoom(Math.exp(-event.deltaY / 300), event.offsetX, event.offsetY);
  }, { passive: false });

  const makeRow = (edge) => {
    const [from, to] = [byId.get(edge.source), byId.get(edge.target)];
    const button = makeButton("Open", () => expand(to.id === chosen ? from.id : to.id), { "aria-label": `Open ${to.id === chosen ? from.name : to.name}` });
    const cells = [from.name, edge.label.replaceAll("_", " "), to.name, edge.strength == null ? "" : edge.strength.toFixed(2)];
    return make("tr", {}, ...cells.map((text) => make("td", { text })), make("td", {}, button));
  };
  const filter = () => {
    const floor = Number(slider.value);
    least.textContent = floor.toFixed(2);
    shownEdges = edges.filter((edge) => (edge.strength ?? 1) >= floor);
    for (const node of nodes) node.visible = floor === 0;
    for (const edge of shownEdges) byId.get(edge.source).visible = byId.get(edge.target).visible = true;
    const sorted = [...shownEdges].sort((one, other) => (other.strength ?? 1) - (one.strength ?? 1));
    rows.replaceChildren(...sorted.slice(0, ROWS).map(makeRow));
    counted.textContent = `Relations as a table (${Math.min(ROWS, sorted.length)} of ${sorted.length})`;
    describe();
    later();
  };
  slider.addEventListener("input", filter);

  const take = () => {
    const state = model.get("state");
    const isFirst = !nodes.length;
    const before = nodes.length;
    nodes = state.nodes.map((node) => ({ ...node, degree: 0, visible: true }));
    byId = new Map(nodes.map((node) => [node.id, node]));
    edges = state.edges;
    for (const edge of edges) {
      byId.get(edge.source).degree += 1;
      byId.get(edge.target).degree += 1;
    }
    title.textContent = state.title;
    const kinds = KINDS.filter((kind) => nodes.some((node) => node.type === kind));
    readColours();
    legend.replaceChildren(...kinds.map((kind) => {
      const dot = make("span", { className: "hxw-dot", "aria-hidden": "true" });
      dot.style.background = palette[KINDS.indexOf(kind)];
      return make("span", {}, dot, kind);
    }));
    filter();
    choose(state.selected);
    if (isFirst || nodes.length !== before) fitAll();
  };

  const watcher = new ResizeObserver(later);
  watcher.observe(canvas);
  model.on("change:state", take);
  take();
  return () => {
    watcher.disconnect();
    cancelAnimationFrame(pending);
    model.off("change:state", take);
  };
}

export default { render };
