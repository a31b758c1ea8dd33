/** Which tests run where; docs/testing.md says what each project is for. */
import { playwright } from "@vitest/browser-playwright";
import { defineConfig, type ViteUserConfig } from "vitest/config";
import { CHROMIUM_ARGS, chromiumPath } from "./tools/chromium.ts";

const isomorphic = [
  "core/**/*.test.ts",
  "browser/**/*.test.ts",
  "test/sim/**/*.test.ts",
  "test/conformance/**/*.test.ts",
];

/** The message of a failure in CI has to be enough, because nobody can look at the values afterwards. */
const chaiConfig = { truncateThreshold: 2_000 };

/*
 * The files of "unit" and of "chromium" share their workers and pages (`isolate: false`): to start one for each file took
 * longer than many a file. So they leave nothing behind in globals, and mock no modules. Simulations keep a process of
 * their own, because they repeat event for event and some of them measure memory.
 */
const config: ViteUserConfig = defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          chaiConfig,
          isolate: false,
          include: [
            ...isomorphic,
            "node/**/*.test.ts",
            "wasm-tasks/**/*.test.ts",
            "tools/**/*.test.ts",
            "**/*.node.test.ts",
          ],
          exclude: [
            "**/node_modules/**",
            "dist/**",
            "test/browser/**",
            "test/system/**",
            "**/*.sim.test.ts",
            "**/*.browser.test.ts",
          ],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: "chromium",
          chaiConfig,
          isolate: false,
          include: [...isomorphic, "**/*.browser.test.ts"],
          exclude: ["**/node_modules/**", "dist/**", "test/browser/**", "**/*.sim.test.ts", "**/*.node.test.ts"],
          testTimeout: 30_000,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({ launchOptions: { executablePath: chromiumPath(), args: CHROMIUM_ARGS } }),
            instances: [{ browser: "chromium" }],
          },
        },
      },
      {
        test: {
          name: "sim",
          chaiConfig,
          include: ["**/*.sim.test.ts"],
          setupFiles: ["test/sim/forget.ts"],
          exclude: ["**/node_modules/**", "dist/**"],
          testTimeout: 300_000,
        },
      },
      {
        // Real processes and real tabs, two files at a time: three on two cores take no less time.
        // Conditions are polled for as long as a busy machine may need; one that comes true is still seen at once.
        test: {
          name: "system",
          chaiConfig,
          expect: { poll: { timeout: 15_000 } },
          include: ["test/system/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "browser",
          chaiConfig,
          expect: { poll: { timeout: 15_000 } },
          include: ["test/browser/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});

export default config;
