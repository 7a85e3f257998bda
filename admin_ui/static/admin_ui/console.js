// Small helpers of the console's pages. Everything works without them, only less comfortably.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.querySelector(button.dataset.copy);
  const label = button.innerHTML;
  button.textContent = (await copy(source)) ? "Copied" : "Press Ctrl+C";
  setTimeout(() => (button.innerHTML = label), 1800);
});

async function copy(source) {
  try {
    await navigator.clipboard.writeText(source.textContent);
    return true;
  } catch {
    // Outside https and localhost there is no clipboard API: select it, and try the old way.
    const range = document.createRange();
    range.selectNodeContents(source);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    return document.execCommand("copy");
  }
}

document.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm;
  if (question && !confirm(question)) event.preventDefault();
});

document.addEventListener("change", (event) => {
  if (event.target.matches("select[data-submit]")) event.target.form.requestSubmit();
});

// A new project's ref follows its name until somebody types one.
document.addEventListener("input", (event) => {
  const form = event.target.form;
  if (!form || !form.elements.ref || !form.elements.placement) return;
  if (event.target.name === "ref") form.dataset.typed = "1";
  if (event.target.name === "name" && !form.dataset.typed) {
    form.elements.ref.value = event.target.value
      .normalize("NFKD").replace(/[\u0300-\u036f]/g, "").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 40);
  }
});

// A preview that does not come leaves the icon behind it, without a broken image in front.
document.addEventListener("error", (event) => {
  if (event.target.matches?.(".c-preview img")) event.target.remove();
}, true);
document.querySelectorAll(".c-preview img").forEach((image) => {
  if (image.complete && !image.naturalWidth) image.remove();
});
