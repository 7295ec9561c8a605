// Keeps the end of a job's output in sight for whoever has not scrolled away.
(() => {
  "use strict";
  const box = document.querySelector(".output");
  if (!box) return;
  let atEnd = true;
  const toEnd = () => atEnd && (box.scrollTop = box.scrollHeight);
  box.addEventListener("scroll", () => (atEnd = box.scrollTop + box.clientHeight > box.scrollHeight - 8));
  new MutationObserver(toEnd).observe(box, { subtree: true, childList: true, characterData: true });
  toEnd();
})();
