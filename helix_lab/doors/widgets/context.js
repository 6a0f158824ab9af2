// The context viewer in the browser. Values are only ever set as text.

function makeControls(state, ask) {
  const budget = make("input", { type: "range", min: "1", max: String(Math.max(1, state.total)), "aria-label": "Budget in tokens" });
  const said = make("span", { "aria-hidden": "true" });
  const strategy = make("select", { "aria-label": "Strategy" });
  strategy.append(...state.strategies.map((name) => make("option", { value: name, text: name })));
  budget.addEventListener("input", () => { said.textContent = `${Number(budget.value).toLocaleString()} tokens`; });
  budget.addEventListener("change", () => ask("budget", Number(budget.value)));
  strategy.addEventListener("change", () => ask("strategy", strategy.value));
  return { budget, said, strategy };
}

function makeLine(line, place, state, ask) {
  const isOpen = state.opened === place;
  const count = line.ids.length;
  const label = line.is_whole ? "whole" : `${count} ${count === 1 ? "source" : "sources"}`;
  const button = makeButton(label, () => ask("sources", place), { "aria-expanded": String(isOpen), "aria-label": `Sources of line ${place + 1}`, "data-line": String(place) });
  const sources = state.sources.map((one) =>
    make("li", { className: "hxw-message" },
      make("div", { className: "hxw-head" }, make("strong", { text: one.role }), make("span", { text: one.message_id })),
      make("div", { className: "hxw-text", text: one.text })));
  const below = isOpen ? [make("ol", { className: "hxw-messages" }, ...sources)] : [];
  return make("li", { className: "hxw-line" },
    make("div", { className: "hxw-row" }, make("span", { className: "hxw-text", text: line.text }), button), ...below);
}

function render({ model, el }) {
  const ask = makeAsk(model);
  const first = model.get("state");
  const { budget, said, strategy } = makeControls(first, ask);
  const figures = make("p", { role: "status" });
  const notice = make("p", { className: "hxw-notice" });
  const list = make("ol", { className: "hxw-messages" });
  const scroller = make("div", { className: "hxw-scroller", tabindex: "0", role: "region", "aria-label": "Lines of the context" }, list);
  el.classList.add("hxw");
  el.append(make("strong", { text: first.title }), make("div", { className: "hxw-row" }, strategy, budget, said), figures, notice, scroller);
  el.addEventListener("keydown", (event) => event.stopPropagation());

  const draw = () => {
    const state = model.get("state");
    const focused = el.ownerDocument.activeElement?.dataset?.line;
    budget.value = String(state.budget);
    said.textContent = `${state.budget.toLocaleString()} tokens`;
    strategy.value = state.strategy;
    figures.textContent = state.figures;
    notice.textContent = state.notice;
    list.replaceChildren(...state.lines.map((line, place) => makeLine(line, place, state, ask)));
    if (focused !== undefined) list.querySelector(`[data-line="${Number(focused)}"]`)?.focus();
  };

  model.on("change:state", draw);
  draw();
  return () => model.off("change:state", draw);
}

export default { render };
