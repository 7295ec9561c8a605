// Keeps the page fresh while it is seen: a stream tells what of it has changed,
// and where there is no stream the same address is fetched again. Every region
// marked data-live is brought up to date in place. The page works without it.
(() => {
  "use strict";
  const { every, static: files } = document.body.dataset;
  const byId = (id) => document.getElementById(id);
  const contact = byId("contact"), mark = byId("live"), asOf = byId("asof");
  const slowest = 30000; // between two looks when they fail
  const seldom = 60000; // between two looks of a tab that nobody sees, and two tries to get a stream
  const silence = 25000; // a stream that says nothing for so long is gone
  const patience = 60000; // for which who does not move is taken to read
  const waiting = new Map(); // what came for a region or a row while that was being read, by its id
  let last = document.body.dataset.event; // what the server sent last
  let stream, timer, looking;
  let failures = 0, movedAt = 0;
  let streamAgain = 0; // when a stream is tried again
  let seenAt = new Date();

  const isRow = (e) => "row" in e.dataset;
  const rowsOf = (e) => [...e.querySelectorAll("[data-row]")];
  const ids = (e) => rowsOf(e).map((r) => r.id);

  // Whoever has marked text is about to copy it.
  function marked(e) {
    const s = getSelection();
    return !s.isCollapsed && s.containsNode(e, true);
  }

  // Rows under the pointer or the focus must not move, unless they were left there.
  function held(region) {
    return rowsOf(region)[0] && (marked(region) || (Date.now() - movedAt < patience && region.matches(":hover, :focus-within")));
  }

  // Puts off what came for a region and offers to show it.
  function putOff(old, fresh) {
    const will = ids(fresh);
    for (const r of rowsOf(old)) r.classList.toggle("gone", !will.includes(r.id));
    const come = will.filter((id) => !byId(id)).length;
    let b = old.querySelector(".news");
    if (!b) {
      old.querySelector("h2").append((b = document.createElement("button")));
      b.className = "news";
      b.onclick = () => show(old);
    }
    b.textContent = (come ? come + " new" : "changed") + " – show";
  }

  function show(old) {
    const fresh = waiting.get(old.id);
    waiting.delete(old.id);
    old.querySelector(".news")?.remove();
    page.morph(old, fresh);
  }

  // Does not let what comes above push down what is being read.
  function still(change) {
    const read = document.querySelector("[data-live]:hover, [data-live]:focus-within");
    const top = read?.getBoundingClientRect().top;
    change();
    if (read) scrollBy(0, read.getBoundingClientRect().top - top);
  }

  function apply(fresh) {
    const old = byId(fresh.id);
    if (isRow(fresh)) {
      for (const w of waiting.values()) rowsOf(w).find((r) => r.id === fresh.id)?.replaceWith(fresh.cloneNode(true));
      if (!old) return;
      waiting.set(old.id, fresh);
      if (!marked(old)) show(old);
    } else if (old) {
      rowsOf(fresh).forEach((r) => waiting.delete(r.id));
      waiting.set(old.id, fresh);
      if (held(old) && ids(old).join() !== ids(fresh).join()) {
        putOff(old, fresh);
        rowsOf(fresh.cloneNode(true)).forEach(apply);
      } else if (!marked(old)) still(() => show(old));
    }
  }

  function settle() {
    for (const id of waiting.keys()) {
      const e = byId(id);
      if (!e) waiting.delete(id);
      else if (!held(e) && !marked(e)) still(() => show(e));
    }
  }

  function head(title, icon) {
    document.title = title;
    byId("icon").setAttribute("href", icon);
  }

  // Says how fresh the page is kept; or, in words, that it is not.
  function say(how, words) {
    mark.textContent = how || "as of";
    mark.className = how;
    contact.textContent = words;
    contact.hidden = !words;
  }

  function heard(how) {
    failures = 0;
    seenAt = new Date();
    asOf.dateTime = seenAt.toISOString();
    asOf.textContent = page.clock(seenAt);
    say(how, "");
  }

  const lost = () => say("", "No contact since " + page.clock(seenAt) + ": this is what was known then.");

  function again(after, silent) {
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (silent) lost();
      if (document.hidden || Date.now() < streamAgain) look();
      else open();
    }, after);
  }

  // Fetches the page itself. Of a tab that nobody sees only title and icon count.
  async function look() {
    if (looking) return;
    looking = true;
    try {
      const r = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(10000) });
      // It is not there any more, and that page says why.
      if (r.status >= 400 && r.status < 500) location.reload();
      if (!r.ok) throw r;
      const d = page.parse(await r.text());
      head(d.title, d.getElementById("icon").getAttribute("href"));
      if (!document.hidden) {
        d.querySelectorAll("[data-live]").forEach(apply);
        heard("polling");
      }
    } catch {
      failures++;
      if (!document.hidden) lost();
    }
    looking = false;
    again(document.hidden ? seldom : Math.min(slowest, every * 2 ** failures));
  }

  const close = () => stream?.close();

  // Opens a stream, which sends what has changed since last.
  function open() {
    close();
    // Unless something comes of it.
    streamAgain = Date.now() + seldom;
    if (!window.EventSource) return look();
    stream = new EventSource("/live?" + new URLSearchParams({ page: location.pathname + location.search, last }));
    const on = (name, does) =>
      stream.addEventListener(name, (e) => {
        last = e.lastEventId || last;
        streamAgain = 0;
        heard("live");
        again(silence, true);
        does(JSON.parse(e.data));
      });
    on("beat", settle);
    on("frag", (d) => apply(page.parseOne(d.html)));
    on("head", (d) => {
      if (d.static !== files) location.reload();
      head(d.title, d.icon);
    });
    on("resync", look);
    on("bye", () => {
      lost();
      close();
      again(2000);
    });
    stream.onerror = () => {
      lost();
      if (stream.readyState === EventSource.CLOSED) look();
    };
    again(silence, true);
  }

  function seen() {
    close();
    streamAgain = 0;
    if (document.hidden) again(seldom);
    else open();
  }

  if (+every === 0) return;
  const listen = (names, does) => names.split(" ").forEach((n) => addEventListener(n, does, true));
  // While the focus moves on nothing has it.
  listen("pointerover focusout selectionchange", () => setTimeout(settle));
  listen("pointermove wheel keydown focusin", () => (movedAt = Date.now()));
  listen("visibilitychange pageshow", seen);
  listen("pagehide", close);
})();
