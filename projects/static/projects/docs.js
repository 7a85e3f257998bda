// The docs page of a project: fetches its OpenAPI document and shows it. A token is kept for this tab alone.
"use strict";

(() => {
  const prefix = document.body.dataset.prefix;
  const kept = `mbaas-docs:${prefix}`;
  const element = (id) => document.getElementById(id);
  const token = () => sessionStorage.getItem(kept) || "";

  async function call(path, options = {}) {
    const headers = { ...options.headers, ...(token() ? { Authorization: token() } : {}) };
    return fetch(prefix + path, { ...options, headers });
  }

  async function show() {
    const answer = await call("/openapi.json");
    if (answer.ok) {
      render(await answer.json());
      return true;
    }
    sessionStorage.removeItem(kept);
    element("enter").hidden = false;
    element("links").hidden = element("leave").hidden = true;
    if (answer.status !== 401) element("refusal").textContent = (await answer.json()).message;
    return false;
  }

  function render(spec) {
    element("enter").hidden = true;
    element("links").hidden = false;
    element("leave").hidden = !token();
    SwaggerUIBundle({
      spec,
      dom_id: "#docs",
      deepLinking: true,
      docExpansion: "list",
      defaultModelsExpandDepth: 0,
      displayRequestDuration: true,
      filter: true,
      // Nothing is sent anywhere but here.
      validatorUrl: null,
      requestInterceptor: (request) => {
        if (token() && !request.headers.Authorization) request.headers.Authorization = token();
        return request;
      },
    });
  }

  async function enter(form) {
    const key = form.key.value.trim();
    if (key) {
      sessionStorage.setItem(kept, key);
    } else {
      const answer = await call("/api/collections/_superusers/auth-with-password", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ identity: form.identity.value, password: form.password.value }),
      });
      const body = await answer.json();
      if (!answer.ok) {
        element("refusal").textContent = body.message;
        return;
      }
      sessionStorage.setItem(kept, body.token);
    }
    form.reset();
    element("refusal").textContent = "";
    if (!(await show()) && key) element("refusal").textContent = "This key does not open the project.";
  }

  element("enter").addEventListener("submit", (event) => {
    event.preventDefault();
    enter(event.target);
  });
  element("leave").addEventListener("click", () => {
    sessionStorage.removeItem(kept);
    location.reload();
  });
  // Links do not carry the token, so the files are fetched and handed over.
  element("links").addEventListener("click", async (event) => {
    const link = event.target.closest("a");
    if (!link || !token()) return;
    event.preventDefault();
    const answer = await call(link.getAttribute("href").slice(prefix.length));
    const file = URL.createObjectURL(await answer.blob());
    Object.assign(document.createElement("a"), { href: file, download: link.dataset.file }).click();
    URL.revokeObjectURL(file);
  });
  show();
})();
