// Tables and code that are wider than the page scroll by keyboard too. A button to copy is no landmark.
function repair() {
  document.querySelectorAll(".md-typeset__scrollwrap, pre > code").forEach((e) => { e.tabIndex = 0; });
  document.querySelectorAll(".md-code__nav").forEach((e) => { e.setAttribute("role", "none"); });
}
repair();
new MutationObserver(repair).observe(document, { childList: true, subtree: true });
