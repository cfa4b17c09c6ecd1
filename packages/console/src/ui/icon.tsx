import type { JSX } from "preact";

/** Paths of the icons, drawn for this page on a grid of 20. */
const PATHS = {
  sessions: "M3 5h14M3 10h14M3 15h9",
  inbox: "M3 11l2.5-7h9L17 11v5H3zM3 11h4l1.5 2h3L13 11h4",
  agents: "M5 7h10v8H5zM10 7V4M7.5 11h.01M12.500 11h.01M3 10v3M17 10v3",
  machines: "M3 4h14v5H3zM3 11h14v5H3zM6 6.500h.01M6 13.500h.01",
  hour: "M3 16V9M8 16V4M13 16v-5M17 16V7",
  search: "M9 15a6 6 0 1 0 0-12 6 6 0 0 0 0 12zM13.500 13.500L17 17",
  send: "M10 16V4M5 9l5-5 5 5",
  stop: "M6 6h8v8H6z",
  back: "M12 4l-6 6 6 6",
  archive: "M3 4h14v4H3zM4 8v8h12V8M8 11h4",
  light:
    "M10 13a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM10 2v2M10 16v2M2 10h2M16 10h2M4.300 4.300l1.400 1.400M14.300 14.300l1.400 1.400M4.300 15.700l1.400-1.400M14.300 5.700l1.400-1.400",
  dark: "M16 12A7 7 0 0 1 8 4a6.500 6.500 0 1 0 8 8z",
  auto: "M10 3a7 7 0 1 0 0 14zM10 3a7 7 0 0 1 0 14",
  plus: "M10 4v12M4 10h12",
  down: "M5 8l5 5 5-5",
  tool: "M12 4a4 4 0 0 0-3.800 5.300L3 14.500 5.500 17l5.200-5.200A4 4 0 0 0 16 8l-2.500 1.500L11 8.500 10.500 6z",
} as const;

/** Name of an icon. */
export type IconName = keyof typeof PATHS;

/** An icon beside a text that says the same. */
export function Icon({ name }: { readonly name: IconName }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
