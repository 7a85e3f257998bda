// The form of a collection: rows that can be added, moved and removed, and inputs for a field's options.
// The truth stays in each row's JSON; the inputs only write it.
(() => {
  const form = document.getElementById("collection-form");
  const rows = form.querySelector("[data-rows]");
  const template = document.getElementById("field-row");
  const total = form.querySelector("[name=fields-TOTAL_FORMS]");
  const { types, collections } = JSON.parse(document.getElementById("field-editors").textContent);

  // "maxSelect": "Max select", "convertURLs": "Convert URLs", "collectionId": "Collection".
  const label = (name) =>
    name.replace(/Id$/, "").replace(/([a-z])([A-Z])(?=[a-z])/g, (_, a, b) => `${a} ${b.toLowerCase()}`)
      .replace(/([a-z])([A-Z])/g, "$1 $2").replace(/^./, (c) => c.toUpperCase());
  const element = (tag, attributes = {}, ...children) => {
    const made = Object.assign(document.createElement(tag), attributes);
    made.append(...children);
    return made;
  };

  function setUp(row) {
    row.querySelector("[data-json]").hidden = true;
    row.querySelector("[data-options]").hidden = !row.querySelector(".c-error");
    row.hidden = row.querySelector("[name$='-DELETE']").checked;
    drawOptions(row);
  }

  const typeOf = (row) => row.querySelector("[data-type], [name$='-type']").value;
  const jsonOf = (row) => row.querySelector("[name$='-options']");

  function drawOptions(row) {
    let values = {};
    try {
      values = JSON.parse(jsonOf(row).value || "{}");
    } catch {
      // Not JSON: the person gets to see and mend it.
      row.querySelector("[data-json]").hidden = false;
      return;
    }
    const known = types[typeOf(row)] || [];
    const kept = Object.fromEntries(known.map((o) => [o.name, o.name in values ? values[o.name] : o.default]));
    jsonOf(row).value = JSON.stringify(kept);
    row.querySelector("[data-editors]").replaceChildren(...known.map((option) => editor(row, option, kept)));
  }

  function editor(row, option, values) {
    const write = (value) => {
      values[option.name] = value;
      jsonOf(row).value = JSON.stringify(values);
    };
    const value = values[option.name];
    if (option.editor === "flag") {
      const box = element("input", { type: "checkbox", checked: Boolean(value) });
      box.addEventListener("change", () => write(box.checked));
      return element("label", { className: "c-check" }, box, label(option.name));
    }
    let input;
    if (option.editor === "collection") {
      const choices = collections.map((c) => element("option", { value: c.id, textContent: c.name }));
      input = element("select", { className: "c-select" }, element("option", { value: "", textContent: "–" }), ...choices);
      input.value = value || "";
      input.disabled = Boolean(row.querySelector("[data-type]"));
      input.addEventListener("change", () => write(input.value));
    } else if (option.editor === "number") {
      input = element("input", { type: "number", step: "any", className: "c-input", value: value ?? "" });
      input.addEventListener("input", () => write(input.value === "" ? option.default : Number(input.value)));
    } else if (option.editor === "list") {
      input = element("input", { className: "c-input", value: (value || []).join(", "), placeholder: "one, two" });
      input.addEventListener("input", () => write(input.value.split(",").map((v) => v.trim()).filter(Boolean)));
    } else if (option.editor === "text") {
      input = element("input", { className: "c-input", value: value ?? "", spellcheck: false });
      input.addEventListener("input", () => write(input.value));
    } else {
      input = element("input", { className: "c-input c-mono", value: JSON.stringify(value) });
      input.addEventListener("change", () => {
        try {
          write(JSON.parse(input.value));
        } catch {
          input.setCustomValidity("Not JSON");
        }
      });
    }
    return element("label", {}, label(option.name), input);
  }

  form.addEventListener("click", (event) => {
    const button = event.target.closest("button[type=button]");
    if (!button) return;
    const row = button.closest("[data-row]");
    if (button.matches("[data-add-row]")) {
      const holder = element("div", { innerHTML: template.innerHTML.replaceAll("__prefix__", total.value) });
      const added = holder.firstElementChild;
      total.value = Number(total.value) + 1;
      rows.append(added);
      setUp(added);
      added.querySelector("[name$='-name']").focus();
    } else if (button.matches("[data-toggle-options]")) {
      const options = row.querySelector("[data-options]");
      options.hidden = !options.hidden;
    } else if (button.matches("[data-move=up]") && row.previousElementSibling) {
      row.previousElementSibling.before(row);
    } else if (button.matches("[data-move=down]") && row.nextElementSibling) {
      row.nextElementSibling.after(row);
    } else if (button.matches("[data-remove]")) {
      row.querySelector("[name$='-DELETE']").checked = true;
      row.hidden = true;
    }
  });

  form.addEventListener("change", (event) => {
    if (event.target.matches("select[name^='fields-'][name$='-type']")) {
      const row = event.target.closest("[data-row]");
      jsonOf(row).value = "{}";
      drawOptions(row);
      row.querySelector("[data-options]").hidden = false;
    }
    if (event.target.name === "type") {
      form.querySelectorAll("[data-only]").forEach((part) => {
        part.hidden = !part.dataset.only.split(" ").includes(event.target.value);
      });
    }
    if (event.target.matches("[data-rule] select")) showRule(event.target.closest("[data-rule]"));
  });

  form.addEventListener("submit", () => {
    rows.querySelectorAll("[data-row]").forEach((row, at) => {
      row.querySelector("[name$='-ORDER']").value = at + 1;
    });
  });

  function showRule(rule) {
    rule.querySelector("textarea").hidden = rule.querySelector("select").value !== "rule";
  }

  rows.querySelectorAll("[data-row]").forEach(setUp);
  form.querySelectorAll("[data-rule]").forEach(showRule);
})();
