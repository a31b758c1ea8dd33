/**
 * Translates the usual words of jq for the bundled jq, which takes a filter, a few letters and standard input. Files
 * become its input, and named values become part of the filter. What can't be translated is refused.
 */
import { StarfishError } from "../../base/errors.ts";

export interface JqWords {
  readonly args: readonly string[];
  /** Read in place of standard input, one after the other. */
  readonly files: readonly string[];
  /** A file with the filter, to which the named values are still to be added. */
  readonly filterFile?: string | undefined;
}

/** Options that the bundled jq knows itself. */
const KNOWN: Readonly<Record<string, string>> = {
  "--raw-output": "r",
  "--compact-output": "c",
  "--null-input": "n",
  "--slurp": "s",
  "--raw-input": "R",
  "--join-output": "j",
  "--exit-status": "e",
};
/** Options without effect here: output is never coloured or buffered. */
const VAIN: ReadonlySet<string> = new Set(["-C", "-M", "--color-output", "--monochrome-output", "--unbuffered"]);
const SORTED = 'walk(if type == "object" then to_entries | sort_by(.key) | from_entries else . end)';

/** Throws "usage". */
export function jqWords(words: readonly string[]): JqWords {
  const letters: string[] = [];
  const bindings: string[] = [];
  const operands: string[] = [];
  let filterFile: string | undefined;
  let isSorted = false;
  let hasOptions = true;
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? "";
    const value = (): string => {
      const next = words[++i];
      if (next === undefined) throw new StarfishError("usage", `${word} takes a name and a value`);
      return next;
    };
    if (!hasOptions || !word.startsWith("-") || word === "-") operands.push(word);
    else if (word === "--") hasOptions = false;
    else if (word === "--arg") bindings.push(binding(value(), JSON.stringify(value())));
    else if (word === "--argjson") bindings.push(binding(value(), `(${value()})`));
    else if (word === "--sort-keys") isSorted = true;
    else if (word === "-f" || word === "--from-file") filterFile = value();
    else if (Object.hasOwn(KNOWN, word)) letters.push(KNOWN[word] ?? "");
    else if (VAIN.has(word)) continue;
    else if (/^-[a-zA-Z]+$/.test(word)) {
      const own = word.slice(1).replaceAll(/[SCM]/g, "");
      if (word.includes("S")) isSorted = true;
      const bad = /[^rcnsRje]/.exec(own)?.[0];
      if (bad !== undefined) throw new StarfishError("usage", unknown(`-${bad}`));
      letters.push(...Array.from(own));
    } else throw new StarfishError("usage", unknown(word));
  }
  const filter = filterFile === undefined ? operands.shift() : "";
  if (filter === undefined) throw new StarfishError("usage", "a filter is missing, like jq .name FILE");
  const head = bindings.join("");
  const shown = isSorted ? `(${head}${filter}) | ${SORTED}` : head + filter;
  const options = letters.length === 0 ? [] : [`-${[...new Set(letters)].join("")}`];
  return { args: [...options, filterFile === undefined ? shown : head], files: operands, filterFile };
}

function binding(name: string, value: string): string {
  if (!/^[A-Za-z_]\w*$/.test(name)) throw new StarfishError("usage", `'${name}' is no name for a value`);
  return `${value} as $${name} | `;
}

function unknown(word: string): string {
  return `there is no option ${word} here; there are -r -c -n -s -R -j -e -S, -f FILE, --arg NAME TEXT, --argjson NAME JSON`;
}
