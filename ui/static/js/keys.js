// Single keys, for who does not want to reach for the mouse. They can be turned
// off, and do nothing while one types.
(() => {
  "use strict";
  const help = document.getElementById("help");
  const on = document.getElementById("keys-on");
  const button = document.getElementById("keys");

  // Where nothing may be kept the keys are on.
  function kept(value) {
    try {
      return value ? (localStorage.keys = value) : localStorage.keys;
    } catch {}
  }

  // Goes from job to job, from the first one if the focus is elsewhere.
  function step(by) {
    const all = [...document.querySelectorAll("main tr .what")];
    const at = all.findIndex((e) => e.closest("tr").contains(document.activeElement));
    const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : at + by];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
  }

  function search() {
    const field = document.querySelector('input[type="search"]');
    if (field?.checkVisibility()) field.select();
    else location.href = "/jobs";
  }

  const does = {
    "/": search,
    j: () => step(1),
    k: () => step(-1),
    f: () => (location.href = "/jobs?state=FAILED,TIMEOUT,LOST,REJECTED"),
    l: () => document.getElementById("follow")?.click(),
    "?": () => help.showModal(),
  };

  on.checked = kept() !== "off";
  on.onchange = () => kept(on.checked ? "on" : "off");
  button.hidden = false;
  button.onclick = () => help.showModal();
  document.addEventListener("keydown", (e) => {
    const typing = e.target.closest("input, select, textarea, [contenteditable], dialog");
    if (!on.checked || typing || e.ctrlKey || e.metaKey || e.altKey || !Object.hasOwn(does, e.key)) return;
    e.preventDefault();
    does[e.key]();
  });
})();
