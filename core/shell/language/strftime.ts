/** strftime (POSIX), in UTC: the swarm has no time zone of its own. Pure. */

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];
const DAY_MS = 86_400_000;
/** Characters of one field: more than anybody means, and too few to matter. */
const WIDTH_MAX = 4_096;

/** `ms` since 1970. */
export function formatTime(pattern: string, ms: number): string {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return pattern;
  return pattern.replaceAll(
    /%([-_0^#]?)(\d*)([EO]?)(:{0,3}[A-Za-z%+])/g,
    (whole, flag: string, width: string, _modifier: string, letter: string) => {
      const field = fieldOf(letter, date);
      if (field === undefined) return whole;
      // Of a fraction, a width tells how many digits.
      if (letter === "N")
        return field.text.slice(0, Number(width || 9)).padEnd(Math.min(WIDTH_MAX, Number(width)), "0");
      return shaped(field, flag, width);
    },
  );
}

interface Field {
  readonly text: string;
  /** The character that pads a number, and the width. */
  readonly fill?: "0" | " ";
  readonly width?: number;
}

function shaped({ text, fill, width = 0 }: Field, flag: string, wanted: string): string {
  const filling = flag === "_" ? " " : flag === "0" ? "0" : (fill ?? " ");
  const length = flag === "-" ? 0 : wanted === "" ? width : Math.min(WIDTH_MAX, Number(wanted));
  const filled = fill === undefined && wanted === "" ? text : text.padStart(length, filling);
  if (flag === "^") return filled.toUpperCase();
  return filled;
}

function number(value: number, width: number, fill: "0" | " " = "0"): Field {
  return { text: String(value), fill, width };
}

function fieldOf(letter: string, date: Date): Field | undefined {
  const again = (pattern: string): Field => ({ text: formatTime(pattern, date.getTime()) });
  const hour = date.getUTCHours();
  switch (letter) {
    case "%":
      return { text: "%" };
    case "a":
      return { text: (DAYS[date.getUTCDay()] ?? "").slice(0, 3) };
    case "A":
      return { text: DAYS[date.getUTCDay()] ?? "" };
    case "b":
    case "h":
      return { text: (MONTHS[date.getUTCMonth()] ?? "").slice(0, 3) };
    case "B":
      return { text: MONTHS[date.getUTCMonth()] ?? "" };
    case "c":
      return again("%a %b %e %H:%M:%S %Y");
    case "C":
      return number(Math.floor(date.getUTCFullYear() / 100), 2);
    case "d":
      return number(date.getUTCDate(), 2);
    case "D":
    case "x":
      return again("%m/%d/%y");
    case "e":
      return number(date.getUTCDate(), 2, " ");
    case "F":
      return again("%Y-%m-%d");
    case "g":
      return number(isoWeek(date).year % 100, 2);
    case "G":
      return number(isoWeek(date).year, 4);
    case "H":
      return number(hour, 2);
    case "I":
      return number(hour % 12 || 12, 2);
    case "j":
      return number(dayOfYear(date), 3);
    case "k":
      return number(hour, 2, " ");
    case "l":
      return number(hour % 12 || 12, 2, " ");
    case "m":
      return number(date.getUTCMonth() + 1, 2);
    case "M":
      return number(date.getUTCMinutes(), 2);
    case "n":
      return { text: "\n" };
    case "N":
      return { text: String(date.getUTCMilliseconds() * 1_000_000).padStart(9, "0") };
    case "p":
      return { text: hour < 12 ? "AM" : "PM" };
    case "P":
      return { text: hour < 12 ? "am" : "pm" };
    case "r":
      return again("%I:%M:%S %p");
    case "R":
      return again("%H:%M");
    case "s":
      return { text: String(Math.floor(date.getTime() / 1000)) };
    case "S":
      return number(date.getUTCSeconds(), 2);
    case "t":
      return { text: "\t" };
    case "T":
    case "X":
      return again("%H:%M:%S");
    case "u":
      return number(date.getUTCDay() || 7, 1);
    case "U":
      return number(Math.floor((dayOfYear(date) + 6 - date.getUTCDay()) / 7), 2);
    case "V":
      return number(isoWeek(date).week, 2);
    case "w":
      return number(date.getUTCDay(), 1);
    case "W":
      return number(Math.floor((dayOfYear(date) + 6 - ((date.getUTCDay() + 6) % 7)) / 7), 2);
    case "y":
      return number(date.getUTCFullYear() % 100, 2);
    case "Y":
      return { text: String(date.getUTCFullYear()) };
    case "z":
      return { text: "+0000" };
    case ":z":
      return { text: "+00:00" };
    case "Z":
      return { text: "UTC" };
    default:
      return undefined;
  }
}

function dayOfYear(date: Date): number {
  return (
    Math.floor(
      (Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()) - Date.UTC(date.getUTCFullYear(), 0, 1)) /
        DAY_MS,
    ) + 1
  );
}

/** ISO 8601: the week of the year that contains its Thursday. */
function isoWeek(date: Date): { year: number; week: number } {
  const thursday = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()));
  thursday.setUTCDate(thursday.getUTCDate() + 4 - (thursday.getUTCDay() || 7));
  const year = thursday.getUTCFullYear();
  return { year, week: Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / DAY_MS / 7) + 1 };
}
