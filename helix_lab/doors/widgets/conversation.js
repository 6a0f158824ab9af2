// The conversation viewer in the browser. What was said is only ever set as text.

function render({ model, el }) {
  const ask = makeAsk(model);

  const title = make("strong", { className: "hxw-title" });
  const search = make("input", { type: "search", "aria-label": "Search in this conversation", placeholder: "Search" });
  const before = makeButton("Previous match", () => ask("match", -1));
  const after = makeButton("Next match", () => ask("match", 1));
  const number = make("input", {
    type: "text", "aria-label": "Go to message, by number or id", placeholder: "Message", size: "8",
  });
  const searching = make("form", { role: "search", className: "hxw-row" }, search, make("button", { type: "submit", text: "Search" }), before, after);
  const jumping = make("form", { className: "hxw-row" }, number, make("button", { type: "submit", text: "Go" }));
  searching.addEventListener("submit", (event) => {
    event.preventDefault();
    ask("search", search.value);
  });
  jumping.addEventListener("submit", (event) => {
    event.preventDefault();
    if (number.value.trim()) ask("jump", number.value.trim());
  });
  // JupyterLab's shortcuts are not meant while somebody types here.
  el.addEventListener("keydown", (event) => event.stopPropagation());

  const status = make("p", { className: "hxw-status", role: "status" });
  const list = make("ol", { className: "hxw-messages" });
  const scroller = make("div", { className: "hxw-scroller", role: "region", tabindex: "0" }, list);
  const earlier = makeButton("Earlier", () => ask("page", model.get("state").first - model.get("state").page_messages));
  const later = makeButton("Later", () => ask("page", model.get("state").first + model.get("state").page_messages));
  const pages = make("div", { className: "hxw-row" }, earlier, later);
  el.classList.add("hxw");
  el.append(make("div", { className: "hxw-row" }, title), make("div", { className: "hxw-row" }, searching, jumping), status, scroller, pages);

  const drawVersions = (message) => {
    const here = message.versions.indexOf(message.message_id);
    const total = message.versions.length;
    const go = (step) => makeButton(step < 0 ? "‹" : "›", () => ask("version", message.versions[here + step]), {
      "aria-label": `${step < 0 ? "Earlier" : "Later"} version of message ${message.number}`,
    });
    const buttons = [go(-1), make("span", { text: `version ${here + 1} of ${total}` }), go(1)];
    buttons[0].disabled = here === 0;
    buttons[2].disabled = here === total - 1;
    return make("span", { className: "hxw-versions" }, ...buttons);
  };

  const drawMessage = (message, target) => {
    const head = make("div", { className: "hxw-head" },
      make("span", { className: "hxw-number", text: `${message.number}` }),
      make("strong", { text: message.role }),
      make("span", { text: [message.by, message.said_at].filter(Boolean).join(" · ") }));
    if (message.versions.length) head.append(drawVersions(message));
    if (message.is_found) head.append(make("span", { className: "hxw-found", text: "match" }));
    const item = make("li", { className: `hxw-message hxw-${message.role}`, tabindex: "-1", "data-message": message.message_id },
      head, make("div", { className: "hxw-text", text: message.text }));
    if (message.cut_characters) {
      item.append(make("em", { text: `${message.cut_characters.toLocaleString()} characters more` }));
    }
    if (message.number - 1 === target) item.setAttribute("aria-current", "true");
    return item;
  };

  const describe = (state) => {
    const last = state.first + state.messages.length;
    const parts = [state.total ? `Messages ${state.first + 1} to ${last} of ${state.total}` : "No messages yet"];
    if (state.others) parts.push(`${state.others} on other branches`);
    if (state.found) parts.push(`${state.match === null ? "" : `match ${state.match + 1} of `}${state.found} found`);
    return state.notice || parts.join(" · ");
  };

  const draw = () => {
    const state = model.get("state");
    title.textContent = state.title;
    scroller.setAttribute("aria-label", `Messages of ${state.title}`);
    status.textContent = describe(state);
    status.classList.toggle("hxw-notice", Boolean(state.notice));
    before.disabled = after.disabled = !state.found;
    earlier.disabled = state.first === 0;
    later.disabled = state.first + state.messages.length >= state.total;
    list.replaceChildren(...state.messages.map((message) => drawMessage(message, state.target)));
    const target = list.querySelector("[aria-current]");
    scroller.scrollTop = 0;
    if (target) scroller.scrollTop = target.offsetTop - scroller.offsetTop;
  };

  model.on("change:state", draw);
  draw();
  return () => model.off("change:state", draw);
}

export default { render };
