"use strict";
// Without it the page can be read; with it, a license can be applied from here.
{
  const find = (id) => document.getElementById(id);
  const form = find("form");
  const text = find("text");
  const error = find("error");
  // The longest license that is taken, in its longest form.
  const most = 120 * 1024;

  const refuse = (what) => {
    error.textContent = what;
    text.setAttribute("aria-invalid", "true");
    text.focus();
  };

  const accept = () => {
    error.textContent = "";
    text.removeAttribute("aria-invalid");
  };

  const choose = async (event) => {
    accept();
    const chosen = event.target.files[0];
    if (!chosen) return;
    if (chosen.size > most) {
      refuse("This file is too large to be a license: choose the file that the vendor sent.");
      return;
    }
    text.value = await chosen.text();
  };

  const reason = async (answer) => {
    if (answer.status === 401) return "You are not signed in any more: sign in, and try again.";
    const said = await answer.json().catch(() => ({}));
    if (!said.detail) return `The product answered with the status ${answer.status}: try again.`;
    const detail = said.detail.replace(/\.?$/, ".");
    // The sentences that do not say what to do.
    const unread = ["malformed", "too_large", "wrong_kind"].includes(said.code);
    return unread ? `${detail} Use it exactly as the vendor sent it, and nothing else.` : detail;
  };

  /** Sends what was pasted; gives why it was refused, or nothing. */
  const send = async (license) => {
    try {
      const answer = await fetch(form.dataset.to, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ signed_license: license }),
      });
      return answer.ok ? null : await reason(answer);
    } catch {
      return "No answer came: see whether the product is running, and try again.";
    }
  };

  const apply = async (event) => {
    event.preventDefault();
    accept();
    const license = text.value.trim();
    if (!license) {
      refuse("Paste a license, or choose its file.");
      return;
    }
    const button = form.querySelector("button");
    button.disabled = true;
    const refused = await send(license);
    if (refused === null) {
      history.replaceState(null, "", "#applied");
      location.reload();
      return;
    }
    button.disabled = false;
    refuse(refused);
  };

  const copy = async (event) => {
    const button = event.target;
    const from = button.closest(".copy").querySelector("textarea");
    const told = button.parentElement.querySelector("[role=status]");
    from.select();
    // A browser gives the clipboard only to pages that came over TLS, or from this machine.
    const copied = navigator.clipboard?.writeText(from.value).then(() => true);
    const done = await Promise.resolve(copied).catch(() => false);
    told.textContent = done ? "Copied." : "Selected: copy it with Ctrl+C.";
  };

  find("file").addEventListener("change", choose);
  form.addEventListener("submit", apply);
  form.hidden = false;
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", copy);
  }
  if (location.hash === "#applied") {
    history.replaceState(null, "", location.pathname + location.search);
    find("applied").textContent = "It was applied.";
  }
}
