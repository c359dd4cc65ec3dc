// Keys and small comforts; every page works without this file.
"use strict";

const typing = (node) => node.matches("input, select, textarea, [contenteditable]");

function rows() {
  return [...document.querySelectorAll("[data-row]")].filter((row) => row.offsetParent !== null);
}

function move(step) {
  const all = rows();
  if (!all.length) return;
  const at = all.findIndex((row) => row.contains(document.activeElement));
  const next = all[Math.min(all.length - 1, Math.max(0, at + step))];
  const target = next.querySelector("a, summary, button, input") || next;
  target.focus();
  next.scrollIntoView({ block: "nearest" });
}

// What there is to edit, the most urgent first: what a page names, a form's gaps, its first field.
function edit() {
  const row = rows().find((one) => one.contains(document.activeElement));
  const box = row?.querySelector("input[type=checkbox]");
  if (box && !document.querySelector("[data-row] input:checked")) box.checked = true;
  for (const fields of ["[data-edit]", ".missing :is(input, select)", ".form-fields input", ".stack :is(input, select)"]) {
    const field = [...document.querySelectorAll(`main ${fields}`)].find((one) => one.type !== "hidden");
    if (field) return show(field);
  }
}

function show(field) {
  field.closest("details")?.setAttribute("open", "");
  field.focus();
  field.scrollIntoView({ block: "nearest" });
}

const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  g: () => location.assign("/"),
  e: edit,
  x: () => rows().find((row) => row.contains(document.activeElement))?.querySelector("input[type=checkbox]")?.click(),
  "/": () => {
    const find = document.getElementById("q");
    find.focus();
    find.select();
  },
};

document.addEventListener("keydown", (event) => {
  if (event.key === "k" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    openPalette();
    return;
  }
  if (event.key === "Escape" && typing(event.target)) event.target.blur();
  const ticking = event.target.matches("[type=checkbox]");
  if (event.ctrlKey || event.metaKey || event.altKey || (typing(event.target) && !ticking)) return;
  const act = KEYS[event.key];
  if (act) {
    event.preventDefault();
    act();
  }
});

// Ctrl-K: every place and action of the page that is open, and patients by name, in one list.
const palette = document.getElementById("palette");
const wanted = document.getElementById("wanted");
const ACTIONS = ".top nav a, .saved a, main .actions :is(a, button), main summary, main .drugs a, main .links a";

function openPalette() {
  if (!palette.open) palette.showModal();
  wanted.select();
  listActions();
}

function listActions() {
  const words = wanted.value.toLowerCase().split(/\s+/);
  const nodes = [...document.querySelectorAll(ACTIONS)].filter((node) => node.checkVisibility() && !node.closest("summary")?.parentElement.open);
  const fitting = nodes.filter((node) => words.every((word) => node.textContent.toLowerCase().includes(word)));
  const items = fitting.slice(0, 12).map((node) => {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: node.innerText });
    button.addEventListener("click", () => {
      palette.close();
      node.click();
      if (node.matches("summary")) show(node.parentElement.querySelector(":is(input, select):not([type=hidden])") || node);
    });
    const item = document.createElement("li");
    item.append(button);
    return item;
  });
  document.getElementById("commands").replaceChildren(...items);
}

wanted.addEventListener("input", listActions);
palette.addEventListener("click", (event) => event.target === palette && palette.close());
palette.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const all = [wanted, ...palette.querySelectorAll("li :is(a, button)")];
  if (step) {
    event.preventDefault();
    all[(all.indexOf(document.activeElement) + step + all.length) % all.length].focus();
  }
  if (event.key === "Enter" && document.activeElement === wanted) all[1]?.click();
});

// A filter takes effect as it is chosen; without scripts there is a button.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
});

// A form is sent once, however often its button is pressed.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
});
addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});

// A file can be dropped on the whole of its form.
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    const form = event.target.closest && event.target.closest("[data-drop]");
    if (!form) return;
    event.preventDefault();
    form.classList.toggle("over", kind === "dragover");
    if (kind === "drop" && event.dataTransfer.files.length) {
      form.closest("details")?.setAttribute("open", "");
      form.querySelector("input[type=file]").files = event.dataTransfer.files;
    }
  });
}

// Ctrl-Enter sends a question.
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.form) event.target.form.requestSubmit();
});

// An answer is shown sentence by sentence, each as it was verified, and then as the server draws the whole turn.
async function ask(form) {
  const turns = document.getElementById("turns");
  const turn = document.createElement("article");
  const asked = Object.assign(document.createElement("p"), { className: "asked", textContent: form.question.value });
  const said = Object.assign(document.createElement("div"), { className: "said" });
  turn.append(asked, said);
  turns.append(turn);
  form.classList.add("streaming");
  try {
    const answer = await fetch(form.action, {
      method: "POST",
      headers: { accept: "text/event-stream", "hx-request": "true" },
      body: new URLSearchParams(new FormData(form)),
    });
    if (!answer.ok) {
      said.textContent = new DOMParser().parseFromString(await answer.text(), "text/html").body.textContent;
      return;
    }
    form.question.value = "";
    for await (const [kind, data] of events(answer.body)) {
      if (kind === "turn") turn.outerHTML = data;
      else said.textContent += (said.textContent ? "\n" : "") + data;
    }
    form.talk.value = turns.lastElementChild.dataset.talk || form.talk.value;
  } catch {
    said.textContent = form.dataset.broken;
  } finally {
    form.classList.remove("streaming");
    delete form.dataset.sent;
  }
}

async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    text += read.value;
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const lines = text.slice(0, end).split("\n");
      text = text.slice(end + 2);
      const kind = lines.find((line) => line.startsWith("event: "));
      const data = lines.filter((line) => line.startsWith("data: ")).map((line) => line.slice(6));
      if (kind && data.length) yield [kind.slice(7), JSON.parse(data.join("\n"))];
    }
  }
}

document.addEventListener("submit", (event) => {
  if (event.target.matches("[data-ask]") && !event.defaultPrevented) {
    event.preventDefault();
    ask(event.target);
  }
});

document.documentElement.classList.add("scripted");
