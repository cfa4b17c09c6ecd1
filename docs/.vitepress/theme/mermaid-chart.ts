import { useData } from "vitepress";
import { defineComponent, h, onMounted, shallowRef, useId, watch } from "vue";

/**
 * A chart, drawn in the page: Mermaid needs a browser to measure text.
 *
 * `text` is URI-encoded. Until it is drawn, or when it cannot be, its text is shown.
 */
export const MermaidChart = defineComponent({
  props: { text: { type: String, required: true } },
  setup(props) {
    const { isDark } = useData();
    const id = `chart-${useId()}`;
    const svg = shallowRef("");

    async function draw(): Promise<void> {
      const { default: mermaid } = await import("mermaid");
      mermaid.initialize({ startOnLoad: false, theme: isDark.value ? "dark" : "default", securityLevel: "strict" });
      svg.value = (await mermaid.render(id, decodeURIComponent(props.text))).svg;
    }

    onMounted(draw);
    watch(isDark, draw);
    return () =>
      svg.value === ""
        ? h("pre", { class: "mermaid-text" }, decodeURIComponent(props.text))
        : h("div", { class: "mermaid-chart", innerHTML: svg.value });
  },
});
