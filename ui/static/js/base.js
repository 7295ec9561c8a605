// What the other scripts share: reading HTML that this server made, times in
// the reader's zone, and bringing a part of the page up to date in place.
const page = (() => {
  "use strict";
  // The only policy that the page's Content-Security-Policy allows. Nothing but
  // an answer of this server passes it.
  const policy = window.trustedTypes && trustedTypes.createPolicy("jr", { createHTML: (html) => html });

  function parse(html) {
    const d = new DOMParser().parseFromString(policy?.createHTML(html) ?? html, "text/html");
    localize(d);
    return d;
  }

  // The one element that html is; a <tr> stands nowhere else by itself.
  function parseOne(html) {
    const { content } = parse("<template>" + html + "</template>").querySelector("template");
    localize(content);
    return content.firstElementChild;
  }

  // As the server writes times; "sv" is the locale that writes 2026-12-01 02:00:00.
  function clock(t, short) {
    const text = t.toLocaleString("sv"), now = new Date().toLocaleString("sv");
    if (text.slice(0, 10) === now.slice(0, 10)) return text.slice(11, short ? 16 : 19);
    if (text.slice(0, 4) !== now.slice(0, 4)) return text.slice(0, 16);
    return t.getDate() + " " + t.toLocaleString("en", { month: "short" }) + text.slice(10, 16);
  }

  function localize(root) {
    for (const e of root.querySelectorAll("time")) {
      const t = new Date(e.dateTime);
      e.textContent = clock(t, "short" in e.dataset);
      e.title = t.toISOString().slice(0, 19).replace("T", " ") + " UTC";
    }
  }

  // Makes old what fresh is. What is the same in both stays the same element,
  // so that focus, scrolling and what was opened stay too. fresh is used up.
  function morph(old, fresh) {
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.data !== fresh.data) old.data = fresh.data;
      return;
    }
    for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name);
    const ids = new Set(Array.from(fresh.children, (e) => e.id));
    for (const e of [...old.children]) if (e.id && !ids.has(e.id)) e.remove();
    let at = old.firstChild;
    for (const f of [...fresh.childNodes]) {
      const o = f.id ? [...old.children].find((e) => e.id === f.id) : at;
      if (o?.nodeName !== f.nodeName || o.id !== f.id) {
        old.insertBefore(f, at);
        continue;
      }
      if (o === at) at = at.nextSibling;
      else old.insertBefore(o, at);
      morph(o, f);
    }
    while (at) {
      const next = at.nextSibling;
      at.remove();
      at = next;
    }
  }

  localize(document);
  document.getElementById("zone").textContent = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return { parse, parseOne, clock, morph };
})();
