/** Variables whose values the shell itself provides: $RANDOM, $SECONDS, $LINENO, $FUNCNAME and the like. */
import type { Clock } from "../../ports/clock.ts";
import { arrayOf, type Call, type ShellState } from "./state.ts";
import type { IndexedArray, SpecialVariable } from "./variables.ts";

export interface SpecialSources {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

function commandText({ running }: ShellState): string {
  return running === undefined ? "" : (running.text ?? running.source.text.slice(running.pos, running.end));
}

export function specialVariables(
  state: () => ShellState,
  { clock, random }: SpecialSources,
): Map<string, SpecialVariable> {
  let seed: number | undefined;
  let secondsBefore = 0;
  const seconds = (): number => Math.floor((clock.monotonic() - state().secondsFromMs) / 1000);
  const nextRandom = (): number => {
    if (seed === undefined) return Math.floor(random() * 32768);
    // A script that sets the seed wants the same numbers again; a linear congruence is enough for that.
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return (seed >> 16) & 0x7fff;
  };
  /** The innermost call first; the script's file last. */
  const stack = (text: (call: Call) => string, last: string): IndexedArray => {
    const { calls, isScriptFile } = state();
    return arrayOf([...calls.map(text).reverse(), ...(isScriptFile ? [last] : [])]);
  };
  return new Map<string, SpecialVariable>([
    ["RANDOM", { get: () => String(nextRandom()), set: (value) => (seed = Number(value) >>> 0) }],
    ["SRANDOM", { get: () => String(Math.floor(random() * 4_294_967_296)) }],
    [
      "SECONDS",
      {
        get: () => String(secondsBefore + seconds()),
        set: (value) => {
          secondsBefore = Number(value) || 0;
          state().secondsFromMs = clock.monotonic();
        },
      },
    ],
    ["EPOCHSECONDS", { get: () => String(Math.floor(clock.now() / 1000)) }],
    ["EPOCHREALTIME", { get: () => (clock.now() / 1000).toFixed(6) }],
    ["LINENO", { get: () => String(state().line) }],
    ["BASH_COMMAND", { get: () => commandText(state()) }],
    ["BASHPID", { get: () => String(state().pid) }],
    ["BASH_SUBSHELL", { get: () => String(state().subshellDepth) }],
    ["PIPESTATUS", { get: () => arrayOf(state().pipeStatus.map(String)) }],
    ["DIRSTACK", { get: () => arrayOf([state().cwd, ...state().directoryStack]) }],
    ["SHELLOPTS", { get: () => [...state().options].sort().join(":") }],
    [
      "BASHOPTS",
      {
        get: () =>
          [...state().shopt]
            .filter(([, isOn]) => isOn)
            .map(([name]) => name)
            .sort()
            .join(":"),
      },
    ],
    ["FUNCNAME", { get: () => (state().calls.length === 0 ? undefined : stack((call) => call.name, "main")) }],
    ["BASH_SOURCE", { get: () => stack((call) => call.file, state().name) }],
    ["BASH_LINENO", { get: () => stack((call) => String(call.line), "0") }],
  ]);
}
