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

const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  g: () => location.assign("/"),
  "/": () => {
    const find = document.getElementById("q");
    find.focus();
    find.select();
  },
};

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && typing(event.target)) event.target.blur();
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  const act = KEYS[event.key];
  if (act) {
    event.preventDefault();
    act();
  }
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
    said.textContent = "The server did not answer to the end. Ask again.";
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
