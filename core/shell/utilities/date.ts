/** date: the time, and times said otherwise. */
import { StarfishError } from "../../base/errors.ts";
import { formatTime } from "../language/strftime.ts";
import type { Command } from "../types.ts";
import { utility } from "./utility.ts";

export const date: Command = utility({
  name: "date",
  summary: "the time",
  help: `
usage: date [-uIR] [-d TEXT] [-r FILE] [+FORMAT]

Writes this node's time in UTC, in FORMAT as strftime has it. -d takes another time: '@SECONDS', ISO 8601, 'now',
'yesterday', 'tomorrow', '2 hours ago', '+3 days'. -I is ISO 8601 (-Iseconds), -R as in mails.

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

const UNITS_MS: Readonly<Record<string, number>> = {
  sec: 1000,
  second: 1000,
  min: 60_000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 604_800_000,
  fortnight: 1_209_600_000,
};

function timeOf(text: string, now: number): number {
  const trimmed = text.trim();
  const seconds = /^@(-?\d+(?:\.\d+)?)$/.exec(trimmed)?.[1];
  if (seconds !== undefined) return Number(seconds) * 1000;
  if (/^(now|today|)$/i.test(trimmed)) return now;
  if (/^yesterday$/i.test(trimmed)) return now - 86_400_000;
  if (/^tomorrow$/i.test(trimmed)) return now + 86_400_000;
  const relative = /^([+-]?\s*\d+)\s+([a-z]+?)s?(\s+ago)?$/i.exec(trimmed);
  if (relative !== null) {
    const [, count = "0", unit = "", ago] = relative;
    const amount = Number(count.replaceAll(/\s/g, "")) * (ago === undefined ? 1 : -1);
    const unitMs = Object.hasOwn(UNITS_MS, unit.toLowerCase()) ? UNITS_MS[unit.toLowerCase()] : undefined;
    if (unitMs !== undefined) return now + amount * unitMs;
    const date = new Date(now);
    if (/^month$/i.test(unit)) return date.setUTCMonth(date.getUTCMonth() + amount);
    if (/^year$/i.test(unit)) return date.setUTCFullYear(date.getUTCFullYear() + amount);
  }
  const plain = /^\d{4}-\d{2}-\d{2}$/.test(trimmed)
    ? `${trimmed}T00:00:00Z`
    : /[zZ]$|[+-]\d{2}:?\d{2}$|GMT|UTC/.test(trimmed)
      ? trimmed
      : `${trimmed.replace(" ", "T")}Z`;
  const parsed = Date.parse(plain);
  const fallback = Number.isNaN(parsed) ? Date.parse(`${trimmed} UTC`) : parsed;
  if (Number.isNaN(fallback)) throw new StarfishError("usage", `invalid date '${text}'`);
  return fallback;
}
