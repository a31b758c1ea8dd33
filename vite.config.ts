/** Builds the page into dist/page. Needs dist/tasks (wasm-tasks/build.ts), whose modules become assets of it. */
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin, type UserConfig } from "vite";
import { CSP_META } from "./browser/csp.ts";

/** First in the head: a policy holds only for what comes after it. */
const contentSecurityPolicy: Plugin = {
  name: "starfish:csp",
  transformIndexHtml: () => [
    { tag: "meta", attrs: { "http-equiv": "Content-Security-Policy", content: CSP_META }, injectTo: "head-prepend" },
  ],
};

/** Names the files that the page does not load by itself, for browser/later.ts, and fetches the next one ahead. */
const filesForLater: Plugin = {
  name: "starfish:later",
  transformIndexHtml: {
    order: "post",
    handler(html, { bundle = {} }) {
      const asked = Object.keys(bundle).filter((file) => /\.(js|wasm)$/.test(file) && !html.includes(file));
      // The node itself comes as soon as the terminal stands: its code may already be on the way.
      const node = asked.filter((file) => file.includes("/joining-"));
      const content = asked.filter((file) => !node.includes(file));
      return [
        { tag: "meta", attrs: { name: "starfish-later", content: content.join(" ") }, injectTo: "head" },
        ...node.map((href) => ({
          tag: "link",
          attrs: { rel: "modulepreload", crossorigin: true, href: `./${href}` },
          injectTo: "head" as const,
        })),
      ];
    },
  },
};

const PURE_PACKAGES: RegExp =
  /\/node_modules\/(it-[\w-]+|multiformats|uint8arrays|uint8arraylist|protons-runtime|cborg|@multiformats\/[\w-]+|@chainsafe\/[\w-]+)\//;

const config: UserConfig = defineConfig({
  root: fileURLToPath(new URL("browser", import.meta.url)),
  base: "./",
  plugins: [contentSecurityPolicy, filesForLater],
  build: {
    outDir: fileURLToPath(new URL("dist/page", import.meta.url)),
    emptyOutDir: true,
    // Browsers of 2025 and later.
    target: ["chrome133", "firefox135", "safari18.4"],
    // Everything stays a file of its own: the policy forbids data: in scripts, styles and requests.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // Terminal and node are a file each; what matters is their sum after gzip, which test/browser/page-size.test.ts bounds.
    chunkSizeWarningLimit: 1_000,
    rolldownOptions: {
      // How long the plugins take is no news: on a busy machine it would be said of any.
      checks: { pluginTimings: false },
      treeshake: {
        // These only declare, but their package.json doesn't say so, as those of libp2p do.
        moduleSideEffects: [{ test: PURE_PACKAGES, sideEffects: false }],
      },
    },
  },
  worker: { format: "es" },
});

export default config;
