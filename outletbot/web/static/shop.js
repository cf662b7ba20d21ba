// The shopper's pages work without this. It keeps the double tap harmless, counts
// down by the server's clock, and shows what changes while the page is open.
(() => {
  const $ = (query, root = document) => root.querySelector(query);
  const all = (query) => [...document.querySelectorAll(query)];
  const main = $("main"), data = main.dataset;
  const fill = (text, n) => text.replace("{n}", n);
  const kept = {};
  const store = (name, value) => {
    try {
      if (value === null) sessionStorage.removeItem(name);
      else if (value) sessionStorage.setItem(name, value);
      return sessionStorage.getItem(name);
    } catch { // some in-app browsers keep nothing
      if (value !== undefined) kept[name] = value;
      return kept[name];
    }
  };
  const random = () => crypto.randomUUID ? crypto.randomUUID() : // needs https
    [...crypto.getRandomValues(new Uint8Array(16))]
      .map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const newKey = () => `${Date.now().toString(36)}-${random()}`; // in order, for the index

  // One key for each deal and tab: the same key leads to the same hold.
  if (data.forget) store("key:" + data.forget, null);
  if (data.key) store("key:" + data.deal, data.key);
  for (const form of all("form")) {
    form.addEventListener("submit", (event) => {
      const button = event.submitter ?? $("button", form), key = form.elements.key;
      if (button.ariaDisabled === "true") return event.preventDefault();
      if (key && !key.value) {
        key.value = store("key:" + data.deal) || newKey();
        store("key:" + data.deal, key.value);
      }
      button.ariaDisabled = "true";
      if (button.dataset.busy) button.textContent = button.dataset.busy;
    });
  }
  for (const button of all("button")) button.dataset.label = button.textContent;

  // The countdown goes by the server's clock and decides nothing.
  let ahead = data.now ? Date.parse(data.now) - Date.now() : 0, said = Infinity;
  const clock = $("[data-until]");
  const two = (n) => String(n).padStart(2, "0");
  const write = (s) => {
    const h = Math.floor(s / 3600) % 24, m = Math.floor(s / 60) % 60, days = Math.floor(s / 86400);
    return (days ? fill(clock.dataset.days, days) + " " : "") +
      (s >= 3600 ? two(h) + ":" : "") + two(m) + ":" + two(s % 60);
  };
  const announce = (s) => {
    const passed = [30, 60, 120, 300, 600].find((at) => s <= at && said > at);
    if (passed && said !== Infinity) {
      const { minutes, minute, seconds } = clock.dataset;
      $("[data-say]").textContent =
        passed === 30 ? fill(seconds, 30) : passed === 60 ? minute : fill(minutes, passed / 60);
    }
    said = s;
  };
  const tick = () => {
    const s = Math.max(0, Math.ceil((Date.parse(clock.dataset.until) - Date.now() - ahead) / 1000));
    $("[data-count]").textContent = write(s);
    clock.classList.toggle("soon", s <= 120);
    announce(s);
    if (s === 0) { clearInterval(ticking); setTimeout(() => (data.state ? ask() : again()), 50 + Math.random() * 250); }
  };
  const ticking = clock && setInterval(tick, 1000);
  if (clock) { tick(); $("[data-count]").hidden = false; }

  // What is left, in words and as a bar.
  const show = (root, state) => {
    const words = root.dataset, left = $("[data-left]", root);
    const form = state.left === 1 ? words.one : state.exact ? words.many : words.band;
    if (left) left.textContent = fill(form, state.left);
    if ($("progress", root)) $("progress", root).value = state.share;
    const held = $("[data-held]", root);
    if (held) {
      held.textContent = fill(words.others, state.held);
      held.hidden = !state.held;
    }
  };
  let leaving = false;
  const again = () => {
    if (leaving) return;
    leaving = true; // not everybody at once, and not in a tight loop if a cache lags
    const wait = (performance.now() < 3000 ? 1500 : 0) + Math.random() * 400;
    setTimeout(() => location.replace((data.here || location.pathname) + location.search), wait);
  };
  const hear = (text) => {
    const state = JSON.parse(text);
    ahead = Date.parse(state.now) - Date.now();
    if (state.phase !== data.phase || state.price != data.price) return again();
    show($(".deal"), state);
  };

  // Pushed where that works, asked for now and then where it does not.
  let source, failures = 0, asking;
  const ask = async () => {
    clearTimeout(asking);
    try { hear(await (await fetch(data.state)).text()); } catch { /* next time */ }
    if (!source) asking = setTimeout(ask, 5000 + Math.random() * 5000);
  };
  const listen = () => {
    if (!data.live || source || document.hidden) return;
    source = new EventSource(data.live);
    for (const kind of ["state", "over"])
      source.addEventListener(kind, (event) => { failures = 0; hear(event.data); });
    source.addEventListener("over", stop);
    source.onerror = () => {
      if (++failures > 2 || source?.readyState === 2) { stop(); ask(); }
    };
  };
  const stop = () => { source?.close(); source = null; };
  const look = async () => {
    if (!document.hidden) {
      const { deals } = await (await fetch(data.wall)).json().catch(() => ({}));
      for (const card of deals ? all("[data-code]") : []) {
        const state = deals[card.dataset.code];
        if (state?.phase !== card.dataset.phase || state.price != card.dataset.price) return again();
        show(card, state);
      }
    }
    setTimeout(look, 8000 + Math.random() * 4000);
  };
  if (data.wall) setTimeout(look, 8000);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) stop();
    else { failures = 0; listen(); }
  });
  addEventListener("pageshow", (event) => {
    for (const button of all("button")) {
      button.ariaDisabled = null;
      button.textContent = button.dataset.label;
    }
    if (event.persisted && data.state) ask();
  });
  listen();

  // In line for the payment page: how far it is, without loading the page again.
  const line = $("[data-line]");
  const wait = async () => {
    try {
      const { standing, place, seconds } = await (await fetch(line.dataset.line)).json();
      if (standing !== "waiting" || !place) return again();
      const { far, near } = line.dataset;
      $("span", line).textContent = seconds > 1 ? fill(far, seconds).replace("{k}", place) : near;
    } catch { /* next time */ }
    setTimeout(wait, 1500 + Math.random() * 1000);
  };
  if (line) setTimeout(wait, 1500);

  const share = $("[data-share]");
  if (share && navigator.share) {
    share.hidden = false;
    share.onclick = () => navigator.share({ title: document.title, url: share.dataset.share }).catch(() => {});
  }
  const hint = $("[data-in-app]");
  if (hint && /FBA[NV]|Instagram|musical_ly|TikTok/.test(navigator.userAgent)) hint.hidden = false;
})();
