// What all widgets are made of. Values are only ever set as text.

const make = (name, options = {}, ...children) => {
  const { className, text, ...attributes } = options;
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  for (const [key, value] of Object.entries(attributes)) {
    element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
};

const onClick = (button, act) => {
  button.addEventListener("click", act);
  return button;
};

const makeButton = (label, act, options = {}) =>
  onClick(make("button", { type: "button", text: label, ...options }), act);

// What the reader wishes goes to the kernel; a serial makes the same wish twice two wishes.
const makeAsk = (model) => {
  let serial = 0;
  return (what, value) => {
    serial += 1;
    model.set("asked", { do: what, value, serial: `${Date.now()}-${serial}` });
    model.save_changes();
  };
};
