/* What makes the merchant's pages quicker; they work without it.

   data-live="/address"   this section's data-parts are replaced by what the
                          server sends; .live says whether it does
   data-upload            a form shows how much of its file was sent
   data-drop              a file can be dropped here
   data-confirm="Sure?"   a form asks before it is sent
   data-copy="text"       a button copies its text */

const all = (what, where = document) => [...where.querySelectorAll(what)];

function follow(section) {
  const sign = section.querySelector(".live");
  let source, seen = "", last = Date.now(), failures = 0;

  const say = (state) => {
    if (!sign) return;
    sign.hidden = false;
    sign.dataset.state = state;
    sign.lastChild.textContent = sign.dataset[state].replace("{time}", seen);
  };
  const heard = (time) => {
    failures = 0;
    last = Date.now();
    seen = time || seen;
    say("on");
  };
  const open = () => {
    source?.close();
    source = new EventSource(section.dataset.live);
    source.addEventListener("parts", ({ data, lastEventId }) => {
      swap(section, data);
      heard(lastEventId);
    });
    source.addEventListener("beat", ({ data }) => heard(data));
    source.addEventListener("done", () => location.reload());
    source.onerror = () => {
      say(++failures > 5 ? "lost" : "again");
      if (source.readyState === EventSource.CLOSED)
        setTimeout(open, Math.min(1000 * 2 ** failures, 60000));
    };
  };
  // A phone in a pocket loses its connection and does not say so.
  const wake = () => {
    if (document.hidden || Date.now() - last < 35000) return;
    say("again");
    last = Date.now();
    open();
  };
  document.addEventListener("visibilitychange", wake);
  addEventListener("pageshow", (event) => event.persisted && open());
  setInterval(wake, 5000);
  open();
}

function swap(section, html) {
  const sent = document.createElement("template");
  sent.innerHTML = html;
  for (const fresh of all("[data-part]", sent.content)) {
    const old = section.querySelector(`[data-part="${fresh.dataset.part}"]`);
    if (!old) continue;
    const opened = all("details", old).map(({ open }) => open);
    all("details", fresh).forEach((one, i) => (one.open = opened[i] ?? one.open));
    const active = document.activeElement;
    const typing = old.contains(active) && active.matches("input, select, textarea");
    if (typing || old.isEqualNode(fresh)) continue;
    const before = new Map(all("[data-key]", old).map((e) => [e.dataset.key, e.textContent]));
    const focused = all("a, button, summary", old).indexOf(active);
    old.replaceWith(fresh);
    all("a, button, summary", fresh)[focused]?.focus();
    for (const e of all("[data-key]", fresh))
      if ((before.get(e.dataset.key) ?? e.textContent) !== e.textContent)
        e.classList.add("new");
  }
}

function upload(form, submitter) {
  const bar = form.querySelector("progress");
  const request = new XMLHttpRequest();
  request.open("POST", form.action);
  request.setRequestHeader("Accept", "text/html");
  request.upload.onprogress = ({ loaded, total }) => {
    if (bar) [bar.hidden, bar.max, bar.value] = [false, total, loaded];
  };
  request.onload = () => {
    const { status, responseURL } = request;
    if (status < 400 && responseURL !== form.action) return location.assign(responseURL);
    const answer = new DOMParser().parseFromString(request.responseText, "text/html");
    document.title = answer.title;
    document.body.replaceWith(answer.body);
    start();
  };
  request.onerror = () => {
    form.removeAttribute("aria-busy");
    if (bar) bar.hidden = true;
    form.querySelector("[data-failed]")?.removeAttribute("hidden");
  };
  form.setAttribute("aria-busy", "true");
  request.send(new FormData(form, submitter));
}

function ask(question, label, then) {
  const dialog = document.createElement("dialog");
  const row = document.createElement("div");
  row.className = "row";
  for (const [words, style] of [[document.body.dataset.cancel, ""], [label, "danger"]]) {
    const button = document.createElement("button");
    button.textContent = words;
    button.className = style;
    button.onclick = () => (dialog.close(), style && then());
    row.append(button);
  }
  dialog.append(question, row);
  dialog.onclose = () => dialog.remove();
  document.body.append(dialog);
  dialog.showModal();
}

function dropping(zone) {
  const input = zone.querySelector("input[type=file]");
  const name = zone.querySelector("[data-name]");
  const show = () => {
    const [file] = input.files;
    if (name && file)
      name.textContent = name.dataset.name
        .replace("{n}", Math.ceil(file.size / 1000))
        .replace("{name}", () => file.name);
  };
  input.addEventListener("change", show);
  for (const kind of ["dragover", "dragleave", "drop"])
    zone.addEventListener(kind, (event) => {
      event.preventDefault();
      zone.classList.toggle("over", kind === "dragover");
      if (kind !== "drop" || !event.dataTransfer.files.length) return;
      input.files = event.dataTransfer.files;
      show();
    });
}

function start() {
  all("[data-live]").forEach(follow);
  all("[data-drop]").forEach(dropping);
  for (const here of all(".nav [aria-current]"))
    here.closest("nav").scrollLeft = here.offsetLeft - 80;
}

document.addEventListener("submit", (event) => {
  const { target: form, submitter } = event;
  if (form.dataset.confirm && !form.dataset.sure) {
    event.preventDefault();
    ask(form.dataset.confirm, submitter?.textContent ?? "OK", () => {
      form.dataset.sure = "yes";
      form.requestSubmit(submitter);
    });
  } else if ("upload" in form.dataset && form.querySelector("[type=file]")?.files.length) {
    event.preventDefault();
    upload(form, submitter);
  }
});
document.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  button.textContent = button.dataset.copied ?? "✓";
});
start();
