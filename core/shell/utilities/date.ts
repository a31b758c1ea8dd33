/** date: prints the time, and times that are given in words. */
import { StarfishError } from "../../base/errors.ts";
import { formatTime } from "../language/strftime.ts";
import type { Command } from "../types.ts";
import { utility } from "./utility.ts";

export const date: Command = utility({
  name: "date",
  summary: "the time",
  help: `
usage: date [-uIR] [-d TEXT] [-r FILE] [+FORMAT]

Writes this node's time in UTC; FORMAT is as in strftime. -d writes another time: '@SECONDS', ISO 8601, 'now',
'yesterday', 'tomorrow', '2 hours ago', 'next week', '2024-02-28 +3 days'. -I is ISO 8601 (-Iseconds), -R as in mails.

  date +%F
`,
  specs: {
    u: { long: "utc" },
    d: { long: "date", value: true },
    I: { long: "iso-8601", value: "optional" },
    R: { long: "rfc-email" },
    r: { long: "reference", value: true },
    s: { long: "set", value: true },
  },
  async run({ options, operands, computer, names, path, signal, out }) {
    if (options.has("s")) throw new StarfishError("unsupported", "the time is this machine's, and can't be set here");
    const now = computer.clock.now();
    let ms = now;
    const file = options.value("r");
    if (file !== undefined) {
      const entry = await names.stat(path(file), { signal });
      if (entry === undefined) throw new StarfishError("not-found", `${file}: No such file or directory`);
      ms = entry.modifiedAtMs ?? now;
    }
    const text = options.value("d");
    if (text !== undefined) ms = timeOf(text, now);
    const [format] = operands;
    if (format !== undefined && !format.startsWith("+")) throw new StarfishError("usage", `invalid date '${format}'`);
    const iso: Readonly<Record<string, string>> = {
      date: "%F",
      hours: "%FT%H+00:00",
      minutes: "%FT%H:%M+00:00",
      seconds: "%FT%T+00:00",
      ns: "%FT%T,%N+00:00",
    };
    const pattern =
      format?.slice(1) ??
      (options.has("I")
        ? (iso[options.value("I") ?? "date"] ?? "%F")
        : options.has("R")
          ? "%a, %d %b %Y %T %z"
          : "%a %b %e %T UTC %Y");
    await out(`${formatTime(pattern, ms)}\n`);
    return 0;
  },
});

const DAY_MS = 86_400_000;

const UNITS_MS: Readonly<Record<string, number>> = {
  sec: 1000,
  second: 1000,
  min: 60_000,
  minute: 60_000,
  hour: 3_600_000,
  day: DAY_MS,
  week: 604_800_000,
  fortnight: 1_209_600_000,
};

/** "3 days", "+2 hours ago", "next week", "last month". */
const RELATIVE = /(?:(next|last)|([+-]?\s*\d+))\s*([a-z]+?)s?\b(\s+ago)?/gi;

/** A point in time and offsets to it, in any order. Throws "usage". */
function timeOf(text: string, now: number): number {
  let addedMs = 0;
  let addedMonths = 0;
  const point = text
    .replaceAll(/(?<![\d:T.-])(?:next|last|[+-]?\s*\d+)\s*[a-z]+(?:\s+ago)?/gi, (part) => {
      const added = addition(part);
      if (added === undefined) return part;
      addedMs += added.ms;
      addedMonths += added.months;
      return "";
    })
    .replace(/\b(yesterday|tomorrow)\b/i, (word) => {
      addedMs += /y$/i.test(word) ? -DAY_MS : DAY_MS;
      return "";
    })
    .trim();
  const date = new Date(pointOf(point, text, now) + addedMs);
  return addedMonths === 0 ? date.getTime() : date.setUTCMonth(date.getUTCMonth() + addedMonths);
}

function addition(part: string): { ms: number; months: number } | undefined {
  const [, word, count = "1", unit = "", ago] = new RegExp(RELATIVE.source, "i").exec(part) ?? [];
  const name = unit.toLowerCase();
  const amount =
    (word === undefined ? Number(count.replaceAll(/\s/g, "")) : /last/i.test(word) ? -1 : 1) *
    (ago === undefined ? 1 : -1);
  if (name === "month") return { ms: 0, months: amount };
  if (name === "year") return { ms: 0, months: 12 * amount };
  const unitMs = Object.hasOwn(UNITS_MS, name) ? UNITS_MS[name] : undefined;
  return unitMs === undefined ? undefined : { ms: amount * unitMs, months: 0 };
}

function pointOf(point: string, text: string, now: number): number {
  const seconds = /^@(-?\d+(?:\.\d+)?)$/.exec(point)?.[1];
  if (seconds !== undefined) return Number(seconds) * 1000;
  if (/^(now|today|)$/i.test(point)) return now;
  if (/^midnight$/i.test(point)) return now - (now % DAY_MS);
  const clock = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/.exec(point);
  if (clock !== null)
    return now - (now % DAY_MS) + (Number(clock[1]) * 3600 + Number(clock[2]) * 60 + Number(clock[3] ?? 0)) * 1000;
  const plain = /^\d{4}-\d{2}-\d{2}$/.test(point)
    ? `${point}T00:00:00Z`
    : /[zZ]$|[+-]\d{2}:?\d{2}$|GMT|UTC/.test(point)
      ? point
      : `${point.replace(" ", "T")}Z`;
  const parsed = Date.parse(plain);
  const fallback = Number.isNaN(parsed) ? Date.parse(`${point} UTC`) : parsed;
  if (Number.isNaN(fallback)) throw new StarfishError("usage", `invalid date '${text}'`);
  return fallback;
}
