/** echo, printf. */
import { evaluate } from "../arithmetic.ts";
import { unescape } from "../ansi-c.ts";
import { scopeOf } from "../expand.ts";
import type { Builtin } from "../frame.ts";
import { format } from "../printf.ts";
import { splitPlace } from "../place.ts";

export const echo: Builtin = {
  name: "echo",
  summary: "write its words, and a line break",
  usage: "echo [-neE] [WORD…]",
  async run({ args, frame, out }) {
    let at = 0;
    let hasBreak = true;
    let isEscaped = frame.state.isSetOption("xpg_echo");
    for (; /^-[neE]+$/.test(args[at] ?? ""); at++) {
      for (const letter of (args[at] ?? "").slice(1)) {
        if (letter === "n") hasBreak = false;
        else isEscaped = letter === "e";
      }
    }
    const words = args.slice(at).join(" ");
    if (!isEscaped) {
      await out(hasBreak ? `${words}\n` : words);
      return 0;
    }
    const { text, isEnded } = unescape(words, { style: "echo" });
    await out(hasBreak && !isEnded ? `${text}\n` : text);
    return 0;
  },
};

export const printf: Builtin = {
  name: "printf",
  summary: "write words in a format",
  usage: "printf [-v NAME] FORMAT [WORD…]",
  async run({ args, frame, out, complain }) {
    let rest = [...args];
    let target: string | undefined;
    if (rest[0] === "-v") {
      target = rest[1];
      rest = rest.slice(2);
    } else if (rest[0]?.startsWith("-v") === true && rest[0].length > 2) {
      target = rest[0].slice(2);
      rest = rest.slice(1);
    }
    if (rest[0] === "--") rest = rest.slice(1);
    const [pattern, ...words] = rest;
    if (pattern === undefined) {
      await complain("usage: printf [-v var] format [arguments]");
      return 2;
    }
    const place = target === undefined ? undefined : await splitPlace(target, frame);
    if (target !== undefined && place === undefined) {
      await complain(`\`${target}': not a valid identifier`);
      return 2;
    }
    const nowMs = frame.clock.now();
    const { text, problems, warnings } = format(pattern, words, { nowMs, startedMs: nowMs });
    if (place === undefined) await out(text);
    else frame.state.variables.set(place, text, (source) => evaluate(source, scopeOf(frame)).toString());
    for (const problem of [...warnings, ...problems]) await complain(problem);
    return problems.length > 0 ? 1 : 0;
  },
};
