import type { Theme } from "vitepress";
import DefaultTheme from "vitepress/theme";
import { MermaidChart } from "./mermaid-chart.js";

/** The default theme, and charts. */
const theme: Theme = {
  extends: DefaultTheme,
  enhanceApp({ app }) {
    app.component("MermaidChart", MermaidChart);
  },
};

export default theme;
