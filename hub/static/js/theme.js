// Light, dark or as the device has it: shown at once, remembered by the server.

import { fresh, post } from "./words.js";

export function wire(root) {
  for (const button of fresh(root, "[data-set-theme]", "theme")) {
    button.addEventListener("click", (event) => {
      event.preventDefault();
      choose(button.dataset.setTheme, button.form.action);
      button.closest("[data-menu]")?.removeAttribute("open");
    });
  }
}

function choose(theme, url) {
  const page = document.documentElement;
  if (theme === "auto") page.removeAttribute("data-bs-theme");
  else page.setAttribute("data-bs-theme", theme);
  document.querySelector("meta[name=color-scheme]").content = theme === "auto" ? "light dark" : theme;
  for (const button of document.querySelectorAll("[data-set-theme]")) {
    button.setAttribute("aria-pressed", String(button.dataset.setTheme === theme));
  }
  document.dispatchEvent(new CustomEvent("hub:theme"));
  post(url, { theme }).catch(() => {});
}
