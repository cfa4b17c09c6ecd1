import { effect, type Signal, signal } from "@preact/signals";

const THEMES = ["auto", "light", "dark"] as const;
const STORAGE_KEY = "daemon-sdk.console.theme";

/** The chosen colours; `auto` are those of the system. */
export const theme: Signal<(typeof THEMES)[number]> = signal(kept());

effect(() => {
  document.documentElement.dataset.theme = theme.value;
  localStorage.setItem(STORAGE_KEY, theme.value);
});

/** Chooses the next colours. */
export function nextTheme(): void {
  theme.value = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length] ?? "auto";
}

function kept(): (typeof THEMES)[number] {
  return THEMES.find((one) => one === localStorage.getItem(STORAGE_KEY)) ?? "auto";
}
