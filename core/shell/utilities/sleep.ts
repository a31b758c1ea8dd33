/** sleep: waits. */
import { StarfishError } from "../../base/errors.ts";
import { sleep as wait } from "../../ports/clock.ts";
import type { Command } from "../types.ts";
import { utility } from "./utility.ts";

const UNITS: Readonly<Record<string, number>> = { "": 1, s: 1, m: 60, h: 3600, d: 86_400 };
/** The longest wait of one timer; longer waits use several. */
const STEP_MS_MAX = 86_400_000;

export const sleep: Command = utility({
  name: "sleep",
  summary: "wait",
  help: `
usage: sleep NUMBER[smhd]…

Waits for so many seconds, minutes, hours or days; several times are added up.

  sleep 0.5
`,
  async run({ operands, computer, signal }) {
    if (operands.length === 0) throw new StarfishError("usage", "missing operand");
    const { clock } = computer;
    for (let left = operands.reduce((sum, word) => sum + secondsOf(word), 0) * 1000; left > 0; left -= STEP_MS_MAX) {
      await wait(clock, Math.min(left, STEP_MS_MAX), { signal });
    }
    return 0;
  },
});

/** A time like "1.5" or "2m", in seconds. */
export function secondsOf(word: string): number {
  if (word === "infinity" || word === "inf") return Number.MAX_SAFE_INTEGER;
  const [, digits, unit = ""] = /^(\d+\.?\d*|\.\d+)([smhd]?)$/.exec(word) ?? [];
  if (digits === undefined) throw new StarfishError("usage", `invalid time interval '${word}'`);
  return Number(digits) * (UNITS[unit] ?? 1);
}
