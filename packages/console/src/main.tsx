import "./style/index.css";
import { render } from "preact";
import { DaemonState } from "./daemon/index.js";
import { createAccess } from "./link/index.js";
import { App } from "./views/index.js";

const state = new DaemonState(createAccess());
const root = document.getElementById("app");
if (root !== null) render(<App state={state} />, root);
state.watchVisibility();
void state.connect();
