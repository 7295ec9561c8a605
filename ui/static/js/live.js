// Keeps the page fresh while it is seen: a stream tells what of it has changed,
// and where there is no stream the same address is fetched again. Every region
// marked data-live is brought up to date in place. The page works without it.
(() => {
  "use strict";
  const every = Number(document.body.dataset.every);
  const contact = document.getElementById("contact");
  const mark = document.getElementById("live");
  const asOf = document.getElementById("asof");
  const slowest = 30000; // between two looks when they fail
  const hiddenEvery = 60000; // between two looks of a tab that nobody sees
  const silence = 25000; // a stream that says nothing for so long is gone
  const waiting = new Map(); // what came while its region was being read, by the region's id
  const patience = 60000; // for which who does not move is taken to read
  let movedAt = 0;
  let stream = null;
  let last = document.body.dataset.event; // what the server sent last
  let timer = 0;
  let looking = false;
  let failures = 0;
  let streamAgain = 0; // when a stream is tried again
  let seenAt = new Date();

  const byId = (id) => document.getElementById(id);
  const rowsOf = (e) => [...e.querySelectorAll("[data-row]")];
  const isRow = (e) => e.hasAttribute("data-row");
  const order = (e) => rowsOf(e).map((r) => r.id).join();

  // Whoever has marked text is about to copy it.
  function marked(e) {
    const s = document.getSelection();
    return s !== null && !s.isCollapsed && s.containsNode(e, true);
  }

  // Rows under the pointer or the focus must not move, unless they were left there.
  function held(region) {
    const table = rowsOf(region)[0]?.closest("table");
    return table && (Date.now() - movedAt < patience && table.matches(":hover, :focus-within") || marked(table));
  }

  // Puts off what came for a region and offers to show it.
  function putOff(old, fresh) {
    waiting.set(old.id, fresh);
    const now = rowsOf(old), then = new Set(rowsOf(fresh).map((r) => r.id));
    for (const r of now) r.classList.toggle("gone", !then.has(r.id));
    const come = [...then].filter((id) => !byId(id)).length;
    let b = old.querySelector(".news");
    if (!b) {
      b = document.createElement("button");
      b.className = "news";
      b.onclick = () => show(old, waiting.get(old.id));
      old.querySelector("h2").append(b);
    }
    b.textContent = (come ? come + " new" : "changed") + " – show";
  }

  function show(old, fresh) {
    waiting.delete(old.id);
    old.querySelector(".news")?.remove();
    const box = old.querySelector(".output");
    const atEnd = box && atItsEnd(box);
    page.morph(old, fresh);
    if (atEnd) box.scrollTop = box.scrollHeight;
  }

  // What is above what is being read must not push it down.
  function still(change) {
    const read = document.querySelector("[data-live]:hover, [data-live]:focus-within");
    const top = read?.getBoundingClientRect().top;
    change();
    if (read?.isConnected) scrollBy(0, read.getBoundingClientRect().top - top);
  }

  function apply(fresh) {
    for (const f of waiting.values()) {
      const r = isRow(fresh) && rowsOf(f).find((e) => e.id === fresh.id);
      if (r) r.replaceWith(fresh.cloneNode(true));
    }
    const old = byId(fresh.id);
    if (!old) return;
    if (isRow(fresh)) {
      if (!marked(old)) page.morph(old, fresh);
    } else if (held(old) && order(old) !== order(fresh)) {
      putOff(old, fresh.cloneNode(true));
      rowsOf(fresh).forEach((r) => byId(r.id) && !marked(byId(r.id)) && page.morph(byId(r.id), r));
    } else if (marked(old)) {
      waiting.set(old.id, fresh);
    } else {
      show(old, fresh);
    }
  }

  function settle() {
    for (const [id, fresh] of waiting) if (!held(byId(id)) && !marked(byId(id))) still(() => show(byId(id), fresh));
  }

  const atItsEnd = (box) => box.scrollTop + box.clientHeight > box.scrollHeight - 8;

  function head(title, icon) {
    if (document.title !== title) document.title = title;
    const link = byId("icon");
    if (link.getAttribute("href") !== icon) link.setAttribute("href", icon);
  }

  function heard(word) {
    failures = 0;
    seenAt = new Date();
    asOf.textContent = page.clock(seenAt);
    asOf.dateTime = seenAt.toISOString();
    mark.textContent = word;
    mark.className = word;
    contact.hidden = true;
  }

  function lost() {
    contact.textContent = "No contact since " + page.clock(seenAt) + ": this is what was known then.";
    contact.hidden = false;
    mark.textContent = "";
  }

  function again(after) {
    clearTimeout(timer);
    timer = setTimeout(tick, after);
  }

  // Fetches the page itself. Of a tab that nobody sees only title and icon count.
  async function look() {
    if (looking) return;
    looking = true;
    try {
      const r = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(10000) });
      if (r.status < 500 && !r.ok) location.reload(); // it is not there any more, and that page says why
      if (!r.ok) throw new Error("the page answered " + r.status);
      const d = page.parse(await r.text());
      head(d.title, d.getElementById("icon").getAttribute("href"));
      if (!document.hidden) {
        still(() => d.querySelectorAll("[data-live]").forEach(apply));
        heard("polling");
      }
    } catch {
      failures++;
      if (!document.hidden) lost();
    }
    looking = false;
    again(document.hidden ? hiddenEvery : Math.min(slowest, every * 2 ** failures));
  }

  function tick() {
    if (!document.hidden && Date.now() >= streamAgain) open();
    else look();
  }

  function close() {
    stream?.close();
    stream = null;
  }

  // Opens a stream, which sends what has changed since last.
  function open() {
    close();
    if (!window.EventSource) {
      streamAgain = Infinity;
      return look();
    }
    stream = new EventSource("/live?" + new URLSearchParams({ page: location.pathname + location.search, last }));
    const on = (name, does) => stream.addEventListener(name, (e) => {
      last = e.lastEventId || last;
      heard("live");
      again(silence);
      does(JSON.parse(e.data));
    });
    on("beat", () => {});
    on("frag", (d) => {
      const fresh = page.parseOne(d.html);
      if (isRow(fresh)) apply(fresh);
      else still(() => apply(fresh));
    });
    on("head", (d) => {
      if (d.static !== document.body.dataset.static) location.reload();
      head(d.title, d.icon);
    });
    on("resync", look);
    on("bye", () => {
      lost();
      close();
      again(2000);
    });
    stream.onerror = () => {
      if (stream?.readyState !== EventSource.CLOSED) return lost();
      close();
      streamAgain = Date.now() + hiddenEvery;
      look();
    };
    again(silence);
  }

  function seen() {
    close();
    streamAgain = 0;
    if (document.hidden) again(hiddenEvery);
    else open();
  }

  document.querySelectorAll(".output").forEach((box) => (box.scrollTop = box.scrollHeight));
  if (!every) return;
  // Later, because while the focus moves on nothing has it.
  for (const name of ["pointerover", "focusout", "selectionchange"]) document.addEventListener(name, () => setTimeout(settle));
  for (const name of ["pointermove", "wheel", "keydown", "focusin"]) addEventListener(name, () => (movedAt = Date.now()), { passive: true });
  document.addEventListener("visibilitychange", seen);
  addEventListener("pagehide", close);
  addEventListener("pageshow", seen);
})();
