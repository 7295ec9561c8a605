// Keeps a page fresh: fetches the same address while the tab is seen and puts
// the new text of every region marked data-live in place of the old one. The
// page works without it.
"use strict";
(() => {
  const every = Number(document.body.dataset.every);
  const contact = document.getElementById("contact");
  const slowest = 30000;
  let timer = 0;
  let busy = false;
  let failures = 0;
  let seenAt = new Date();

  // Whoever has marked text in a region is about to copy it.
  function marked(region) {
    const s = document.getSelection();
    return s !== null && !s.isCollapsed && s.containsNode(region, true);
  }

  // What had the focus is found again by its id or by where it leads.
  function again(region, old) {
    if (old.id) return region.querySelector("#" + CSS.escape(old.id));
    const href = old.getAttribute("href");
    return href && region.querySelector('a[href="' + CSS.escape(href) + '"]');
  }

  function toEnd(box) {
    if (box) box.scrollTop = box.scrollHeight;
  }

  function swap(old, fresh) {
    if (old.innerHTML === fresh.innerHTML || marked(old)) return;
    const focused = old.contains(document.activeElement) ? document.activeElement : null;
    const heir = focused && again(fresh, focused);
    if (focused && !heir) return;
    const box = old.querySelector(".output");
    const top = box && box.scrollTop;
    const atEnd = !box || box.scrollTop + box.clientHeight > box.scrollHeight - 8;
    old.replaceChildren(...fresh.childNodes);
    const now = old.querySelector(".output");
    if (now && atEnd) toEnd(now);
    else if (now) now.scrollTop = top;
    if (heir) heir.focus({ preventScroll: true });
  }

  function show(html) {
    const page = new DOMParser().parseFromString(html, "text/html");
    for (const old of document.querySelectorAll("[data-live]")) {
      const fresh = page.getElementById(old.id);
      if (fresh) swap(old, fresh);
    }
    if (document.title !== page.title) document.title = page.title;
  }

  async function look() {
    if (busy || document.hidden) return;
    busy = true;
    clearTimeout(timer);
    try {
      const r = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(10000) });
      if (!r.ok) throw new Error("the page answered " + r.status);
      show(await r.text());
      failures = 0;
      seenAt = new Date();
      contact.hidden = true;
    } catch {
      failures++;
      contact.textContent = "No contact since " + seenAt.toTimeString().slice(0, 8) + ": this is what was known then.";
      contact.hidden = false;
    }
    busy = false;
    timer = setTimeout(look, Math.min(slowest, every * 2 ** failures));
  }

  toEnd(document.querySelector(".output"));
  if (!every) return;
  timer = setTimeout(look, every);
  document.addEventListener("visibilitychange", look);
})();
