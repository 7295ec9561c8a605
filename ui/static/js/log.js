// The page of a job's output: goes to the line that the address names, brings new
// lines while one is at the end, goes on searching. It asks at most four times a
// second, and not while nobody sees the page.
(() => {
  "use strict";
  const log = document.querySelector("[data-base]");
  if (!log) return;
  const gap = 250; // between two requests
  const idle = 1000; // the same while nothing new comes
  const most = 10; // blocks that are kept
  const far = 1 << 20; // bytes that are left out rather than caught up with
  const button = document.getElementById("follow");
  const atEnd = () => log.scrollTop + log.clientHeight > log.scrollHeight - 24;
  const toEnd = () => (log.scrollTop = log.scrollHeight);
  const reading = (e) => !getSelection().isCollapsed && getSelection().containsNode(e, true);
  const later = (f, ms) => setTimeout(() => (document.hidden ? document.addEventListener("visibilitychange", f, { once: true }) : f()), ms);
  let tag = "";

  const said = () => document.getElementById("nothing")?.toggleAttribute("hidden", log.querySelector(".block > div"));

  // Gives the block at an address; nothing if it is what it was the last time.
  async function block(url) {
    const r = await fetch(url + "&part=1", { cache: "no-store", headers: { "If-None-Match": tag }, signal: AbortSignal.timeout(10000) });
    if (r.status === 304) return null;
    if (!r.ok) throw new Error("the log answered " + r.status);
    tag = r.headers.get("ETag") || "";
    return page.parseOne(await r.text());
  }

  // Takes in what the last block is by now.
  function take(old, fresh) {
    old.replaceWith(fresh);
    const { to, size } = fresh.dataset;
    if (to !== size) {
      tag = "";
      if (size - to > far) log.replaceChildren();
      const next = document.createElement("div");
      if (log.firstChild) next.dataset.from = to;
      log.append(next);
    }
    said();
    while (log.children.length > most) log.firstElementChild.remove();
    toEnd();
    if (to === size && "ended" in fresh.dataset) location.reload();
  }

  async function follow() {
    const open = log.lastElementChild;
    const on = () => button.ariaPressed === "true" && !reading(open);
    let wait = idle;
    try {
      const fresh = on() && (await block(log.dataset.base + (open.dataset.from ? "from=" + open.dataset.from : "")));
      if (fresh && on()) {
        take(open, fresh);
        wait = gap;
      }
    } catch {
      wait = 5 * idle;
    }
    later(follow, wait);
  }

  function mark(on) {
    button.ariaPressed = on;
    button.textContent = on ? "Following" : "Follow";
  }

  // Searches further up until there is enough to read.
  async function search() {
    const first = log.firstElementChild, link = first.querySelector(".further");
    if (!link || log.querySelectorAll("[class=block] > div").length > 200) return;
    const fresh = await block(link.firstChild.href);
    link.remove();
    log.prepend(fresh);
    said();
    later(search, gap);
  }

  function toLine() {
    const line = /^#L(\d+)$/.exec(location.hash)?.[1];
    const at = line ? document.getElementById("L" + line) : log.querySelector(".here");
    if (at) log.scrollTop = at.offsetTop - log.clientHeight / 3;
    else if (line && new URLSearchParams(location.search).get("line") !== line) location.replace(log.dataset.base + "line=" + line + location.hash);
    else if ("end" in log.dataset) toEnd();
  }

  addEventListener("hashchange", toLine);
  toLine();
  if (document.querySelector("[data-again]")) later(() => location.reload(), gap);
  if ("search" in log.dataset) later(search, gap);
  if (!button) return;
  button.hidden = false;
  mark(atEnd());
  button.onclick = toEnd;
  log.addEventListener("scroll", () => mark(atEnd()));
  later(follow, gap);
})();
