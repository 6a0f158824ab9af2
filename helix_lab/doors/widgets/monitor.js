// The run monitor in the browser. Values are only ever set as text.

const SIGNS = { queued: "…", running: "▶", succeeded: "✓", failed: "✗", cancelled: "■" };

function makeRow(runId, cancel) {
  const sign = make("span", { "aria-hidden": "true" });
  const state = make("span", { className: "hxw-state" });
  const progress = make("progress", { max: "1", "aria-label": `Progress of ${runId}` });
  const facts = make("span");
  const button = make("button", { type: "button", text: "Cancel", "aria-label": `Cancel run ${runId}` });
  const error = make("div", { className: "hxw-notice" });
  button.addEventListener("click", cancel);
  const row = make("li", { className: "hxw-run", "data-run": runId },
    make("div", { className: "hxw-row" }, sign, state, progress, facts, button), error);
  const show = (run) => {
    sign.textContent = SIGNS[run.state] ?? "";
    state.textContent = run.state;
    progress.value = run.progress;
    facts.textContent = [run.kind, run.run_id, `${Math.round(run.progress * 100)} %`, run.took].filter(Boolean).join(" · ");
    button.hidden = !run.can_cancel;
    error.textContent = run.error;
  };
  return { row, show };
}

function render({ model, el }) {
  const ask = makeAsk(model);
  const title = make("strong");
  const notice = make("p", { className: "hxw-notice", role: "status" });
  const spoken = make("p", { className: "hxw-unseen", "aria-live": "polite" });
  const list = make("ul", { className: "hxw-runs" });
  const rows = new Map();
  const states = new Map();
  el.classList.add("hxw");
  el.append(title, notice, list, spoken);
  el.addEventListener("keydown", (event) => event.stopPropagation());

  const speak = (run) => {
    const before = states.get(run.run_id);
    states.set(run.run_id, run.state);
    if (before && before !== run.state) spoken.textContent = `${run.kind} ${run.run_id}: ${run.state}`;
  };

  const draw = () => {
    const state = model.get("state");
    title.textContent = state.title;
    notice.textContent = state.notice || (state.runs.length ? "" : "No run yet.");
    const wanted = state.runs.map((run) => {
      if (!rows.has(run.run_id)) rows.set(run.run_id, makeRow(run.run_id, () => ask("cancel", run.run_id)));
      const { row, show } = rows.get(run.run_id);
      show(run);
      speak(run);
      return row;
    });
    // Rows that stay are left in place, so that the focus is not lost at every look.
    const isSame = wanted.length === list.children.length && wanted.every((row, place) => row === list.children[place]);
    if (!isSame) list.replaceChildren(...wanted);
  };

  model.on("change:state", draw);
  draw();
  ask("watch");
  return () => {
    model.off("change:state", draw);
    ask("leave");
  };
}

export default { render };
