export { Activity } from "./activity.js";
export { CopyButton } from "./copy-button.js";
export { Empty, Spinner } from "./empty.js";
export { Icon, type IconName } from "./icon.js";
export { navigate, route, sessionAddress } from "./route.js";
export { Preformatted, Scrollable } from "./scrollable.js";
export { nextTheme, theme } from "./theme.js";
export { ago, clock, duration } from "./time.js";
