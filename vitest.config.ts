/** Which tests run where; docs/testing.md says what each project is for. */
import { playwright } from "@vitest/browser-playwright";
import { defineConfig, type ViteUserConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { CHROMIUM_ARGS, chromiumPath } from "./tools/chromium.ts";

/** The longest of those with processes and tabs, so that no core waits for one of them at the end. */
const LONGEST: readonly string[] = [
  "test/browser/swarm.test.ts",
  "test/browser/files.test.ts",
  "test/browser/page.test.ts",
  "test/system/adversary.test.ts",
  "test/system/files.test.ts",
  "test/browser/reload.test.ts",
  "test/browser/terminal.test.ts",
  "test/browser/minute.test.ts",
  "test/system/jobs-swarm.test.ts",
  "test/browser/files-swarm.test.ts",
  "test/browser/mail.test.ts",
  "test/system/package.test.ts",
];

/** These begin; the others follow as vitest orders them, by what it knows of the last run, or by their size. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = LONGEST.findIndex((name) => moduleId.endsWith(name));
      return at < 0 ? LONGEST.length : at;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}

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
    sequence: { sequencer: LongestFirst },
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
        // Real processes and real tabs, three files at a time on two cores, because they wait between what they compute.
        // Conditions are polled for as long as a busy machine may need; one that comes true is still seen at once.
        test: {
          name: "system",
          chaiConfig,
          expect: { poll: { timeout: 15_000 } },
          include: ["test/system/**/*.test.ts"],
          testTimeout: 300_000,
          hookTimeout: 120_000,
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "browser",
          chaiConfig,
          expect: { poll: { timeout: 15_000 } },
          include: ["test/browser/**/*.test.ts"],
          testTimeout: 300_000,
          hookTimeout: 120_000,
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});

export default config;
