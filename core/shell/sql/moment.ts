/**
 * An earlier moment as a person says it: `10 minutes ago`, `90s`, `14:05`, `2026-11-30 14:05`. Clock times are UTC.
 * Pure.
 */
import { StarfishError } from "../../base/errors.ts";

const UNITS: readonly (readonly [RegExp, number])[] = [
  [/^(?:s|sec|secs|seconds?)$/, 1_000],
  [/^(?:m|min|mins|minutes?)$/, 60_000],
  [/^(?:h|hours?)$/, 3_600_000],
  [/^(?:d|days?)$/, 86_400_000],
];
const AGO: RegExp = /^(\d+(?:\.\d+)?)\s*([a-z]+)(?:\s+ago)?$/i;
const CLOCK: RegExp = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/;
const DATE: RegExp = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?(?:Z|[+-]\d{2}:\d{2})?$/;
const DAY_MS = 86_400_000;

/** In ms since 1970. Throws "usage". */
export function momentOf(text: string, nowMs: number): number {
  const said = text.trim();
  const ago = AGO.exec(said);
  const unit = UNITS.find(([words]) => words.test((ago?.[2] ?? "").toLowerCase()))?.[1];
  if (ago !== null && unit !== undefined) return nowMs - Number(ago[1]) * unit;
  const clock = CLOCK.exec(said);
  if (clock !== null) {
    const [hours, minutes, seconds] = [clock[1], clock[2], clock[3]].map((part) => Number(part ?? 0));
    const inDay = ((hours ?? 0) * 3_600 + (minutes ?? 0) * 60 + (seconds ?? 0)) * 1_000;
    const today = nowMs - (nowMs % DAY_MS) + inDay;
    if (inDay < DAY_MS) return today <= nowMs ? today : today - DAY_MS;
  }
  const hasZone = /(?:Z|[+-]\d{2}:\d{2})$/.test(said.slice(10));
  const dateMs = DATE.test(said)
    ? Date.parse(`${said.replace(" ", "T")}${said.length > 10 && !hasZone ? "Z" : ""}`)
    : Number.NaN;
  if (Number.isFinite(dateMs)) return dateMs;
  throw new StarfishError(
    "usage",
    `--at is a moment such as '10 minutes ago', 14:05 or '2026-11-30 14:05' (UTC), not '${text}'`,
  );
}
