// Buttons that copy the text before them. On a page that came by plain http from
// another machine, browsers have only the older way.
document.addEventListener("click", async (e) => {
  "use strict";
  const button = e.target.closest(".copy");
  if (!button) return;
  const text = button.previousElementSibling;
  try {
    await navigator.clipboard.writeText(text.textContent);
  } catch {
    getSelection().selectAllChildren(text);
    document.execCommand("copy");
  }
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = "Copy"), 1500);
});
