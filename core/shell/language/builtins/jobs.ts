/** jobs, fg, bg, wait, kill, disown, times, ulimit, umask: processes of the shell. */
import { abortable } from "../../../ports/clock.ts";
import { setVariable } from "../assign.ts";
import type { Builtin, BuiltinCall, Frame } from "../frame.ts";
import { jobLine } from "../job-line.ts";
import type { Job } from "../jobs.ts";
import { PROCESSES_MAX } from "../limits.ts";
import { SIGNALS, signalName, statusOfSignal } from "../process.ts";
import { signalList } from "./control.ts";

export const jobs: Builtin = {
  name: "jobs",
  summary: "background pipelines of this shell",
  usage: "jobs [-lprs] [JOB…]",
  async run({ args, frame, out, complain }) {
    const letters = args.filter((word) => word.startsWith("-")).join("");
    const bad = /[^-lprsn]/.exec(letters)?.[0];
    if (bad !== undefined) {
      await complain(`-${bad}: invalid option`);
      return 2;
    }
    const specs = args.filter((word) => !word.startsWith("-"));
    let shown: readonly Job[] = [...frame.jobs.shown];
    if (specs.length > 0) {
      const found = specs.map((spec) => frame.jobs.find(spec));
      const missing = specs[found.findIndex((job) => job === undefined || job === "ambiguous")];
      if (missing !== undefined) {
        await complain(`${missing}: no such job`);
        return 1;
      }
      shown = found.filter((job): job is Job => job !== undefined && job !== "ambiguous");
    }
    for (const job of shown) {
      if (letters.includes("r") && (job.status !== undefined || job.process.isStopped)) continue;
      if (letters.includes("s") && !job.process.isStopped) continue;
      await out(letters.includes("p") ? `${job.process.pid}\n` : jobLine(job, frame.jobs, letters.includes("l")));
      if (job.status !== undefined) frame.jobs.remove(job);
    }
    return 0;
  },
};

export const wait: Builtin = {
  name: "wait",
  summary: "wait for background pipelines",
  usage: "wait [-fn] [-p NAME] [JOB|PID…]",
  async run(call) {
    const { args, frame, complain } = call;
    let at = 0;
    let isNext = false;
    let name: string | undefined;
    for (; /^-[fnp]+$/.test(args[at] ?? ""); at++) {
      const word = args[at] ?? "";
      if (word.includes("n")) isNext = true;
      if (word.endsWith("p")) name = args[++at];
    }
    if (args[at] === "--") at++;
    else if (/^-./.test(args[at] ?? "")) {
      await complain(`${args[at] ?? ""}: invalid option`);
      return 2;
    }
    const specs = args.slice(at);
    if (isNext) return await waitNext(specs, name, call);
    if (specs.length === 0) {
      for (const job of [...frame.jobs.all]) {
        const status = await waitFor(job, frame);
        if (status === "trapped") return await trappedStatus(frame);
        frame.jobs.remove(job);
      }
      return 0;
    }
    let status = 0;
    for (const spec of specs) {
      const one = await waitSpec(spec, call);
      if (one === "trapped") return await trappedStatus(frame);
      status = one;
      if (name !== undefined) setVariable(name, undefined, spec, false, frame);
    }
    return status;
  },
};

async function waitSpec(spec: string, { frame, complain }: BuiltinCall): Promise<number | "trapped"> {
  const { jobs, interpreter } = frame;
  const job = jobs.find(spec);
  if (job !== undefined && job !== "ambiguous") {
    const status = await waitFor(job, frame);
    if (status !== "trapped") jobs.remove(job);
    return status;
  }
  const outer = await interpreter.waitProcess?.(spec, frame);
  if (outer !== undefined) return outer;
  if (/^\d+$/.test(spec)) {
    const known = jobs.statusOf(Number(spec));
    if (known !== undefined) return known;
    await complain(`pid ${spec} is not a child of this shell`);
    return 127;
  }
  await complain(spec.startsWith("%") ? `${spec}: no such job` : `\`${spec}': not a pid or valid job spec`);
  return spec.startsWith("%") ? 127 : 1;
}

/** A signal with a trap ends the waiting. */
async function waitFor(job: Job, { signal, process }: Frame): Promise<number | "trapped"> {
  const trapped = process.caught().then(() => "trapped" as const);
  const status = await abortable(signal, Promise.race([job.ended, trapped]));
  if (status !== "trapped") job.isReported = true;
  return status;
}

async function trappedStatus(frame: Frame): Promise<number> {
  const name = frame.process.nextPending;
  await frame.interpreter.runPendingTraps(frame);
  return statusOfSignal(name);
}

async function waitNext(
  specs: readonly string[],
  name: string | undefined,
  { frame, complain }: BuiltinCall,
): Promise<number> {
  const wanted = specs.length === 0 ? [...frame.jobs.all] : specs.map((spec) => frame.jobs.find(spec));
  for (const spec of specs) if (frame.jobs.find(spec) === undefined) await complain(`${spec}: no such job`);
  const some = wanted.filter((job): job is Job => job !== undefined && job !== "ambiguous");
  if (some.length === 0) return 127;
  const first = await abortable(frame.signal, Promise.race(some.map((job) => job.ended.then(() => job))));
  frame.jobs.remove(first);
  if (name !== undefined) setVariable(name, undefined, String(first.process.pid), false, frame);
  return first.status ?? 0;
}

export const kill: Builtin = {
  name: "kill",
  summary: "send a signal to a job or process",
  usage: "kill [-s SIGNAL | -SIGNAL] JOB|PID… | kill -l [SIGNAL…]",
  async run({ args, frame, out, complain }) {
    let words = [...args];
    if (words[0] === "-l" || words[0] === "-L") {
      if (words.length === 1) {
        await out(signalList());
        return 0;
      }
      let status = 0;
      for (const word of words.slice(1)) {
        const number = Number(word);
        const name = /^\d+$/.test(word) ? signalName(String(number > 128 ? number - 128 : number)) : signalName(word);
        if (name === undefined) {
          await complain(`${word}: invalid signal specification`);
          status = 1;
        } else await out(/^\d+$/.test(word) ? `${name}\n` : `${SIGNALS[name] ?? 0}\n`);
      }
      return status;
    }
    let name = "TERM";
    const first = words[0] ?? "";
    if (first === "-s" || first === "-n") {
      name = words[1] ?? "";
      words = words.slice(2);
    } else if (/^-[^-]/.test(first)) {
      name = first.replace(/^-[sn]?/, (flag) =>
        signalName(first.slice(1)) === undefined ? "" : flag === "-" ? "" : flag.slice(1),
      );
      if (signalName(first.slice(1)) !== undefined) name = first.slice(1);
      words = words.slice(1);
    }
    if (words[0] === "--") words = words.slice(1);
    const signal = name === "0" ? "0" : signalName(name);
    if (signal === undefined) {
      await complain(`${name}: invalid signal specification`);
      return 1;
    }
    if (words.length === 0) {
      await complain("usage: kill [-s sigspec | -n signum | -sigspec] pid | jobspec ... or kill -l [sigspec]");
      return 2;
    }
    let status = 0;
    for (const word of words) {
      const problem = await frame.interpreter.kill(word, signal, frame);
      if (problem === undefined) continue;
      await complain(problem);
      status = 1;
    }
    return status;
  },
};

function jobOf(spec: string | undefined, frame: Frame): Job | undefined {
  const found =
    spec === undefined
      ? frame.jobs.current
      : frame.jobs.find(spec.startsWith("%") || /^\d{3,}$/.test(spec) ? spec : `%${spec}`);
  return found === "ambiguous" ? undefined : found;
}

export const fg: Builtin = {
  name: "fg",
  summary: "bring a job to the foreground",
  usage: "fg [JOB]",
  async run({ args, frame, out, complain }) {
    const job = jobOf(args[0], frame);
    if (job === undefined) {
      await complain(`${args[0] ?? "current"}: no such job`);
      return 1;
    }
    await out(`${job.text}\n`);
    return await frame.interpreter.foreground(job, frame);
  },
};

export const bg: Builtin = {
  name: "bg",
  summary: "let stopped jobs go on in the background",
  usage: "bg [JOB…]",
  async run({ args, frame, out, complain }) {
    let status = 0;
    for (const spec of args.length === 0 ? [undefined] : args) {
      const job = jobOf(spec, frame);
      if (job === undefined) {
        await complain(`${spec ?? "current"}: no such job`);
        status = 1;
        continue;
      }
      job.isBackground = true;
      job.process.kill("CONT");
      await out(`[${job.number}]+ ${job.text} &\n`);
    }
    return status;
  },
};

export const disown: Builtin = {
  name: "disown",
  summary: "forget jobs without ending them",
  usage: "disown [-ar] [JOB…]",
  async run({ args, frame, complain }) {
    const isAll = args.some((word) => /^-[ar]+$/.test(word));
    const specs = args.filter((word) => !word.startsWith("-"));
    const found = isAll
      ? [...frame.jobs.all]
      : (specs.length === 0 ? [undefined] : specs).map((spec) => jobOf(spec, frame));
    for (const job of found) {
      if (job === undefined) {
        await complain("no such job");
        return 1;
      }
      frame.jobs.remove(job);
    }
    return 0;
  },
};

export const times: Builtin = {
  name: "times",
  summary: "processor time used",
  usage: "times",
  isSpecial: true,
  async run({ out }) {
    await out("0m0.000s 0m0.000s\n0m0.000s 0m0.000s\n");
    return 0;
  },
};

export const umask: Builtin = {
  name: "umask",
  summary: "permissions that new files do not get",
  usage: "umask [-p] [-S] [MODE]",
  async run({ args, frame, out, complain }) {
    const { state } = frame;
    const mode = args.find((word) => !/^-[pS]+$/.test(word) && word !== "--");
    const isSymbolic = args.some((word) => /^-p?S/.test(word));
    if (mode === undefined) {
      const text = isSymbolic ? symbolicMask(state.umask) : state.umask.toString(8).padStart(4, "0");
      await out(`${args.some((word) => /^-.*p/.test(word)) ? `umask ${isSymbolic ? "-S " : ""}` : ""}${text}\n`);
      return 0;
    }
    if (/^[0-7]+$/.test(mode)) {
      if (Number.parseInt(mode, 8) > 0o777) {
        await complain(`${mode}: octal number out of range`);
        return 1;
      }
      state.umask = Number.parseInt(mode, 8);
      return 0;
    }
    const changed = /^\d/.test(mode) ? undefined : changedMask(mode, state.umask);
    if (changed === undefined) {
      await complain(
        /^\d/.test(mode)
          ? `${mode}: octal number out of range`
          : `\`${mode.charAt(0)}': invalid symbolic mode operator`,
      );
      return 1;
    }
    state.umask = changed;
    return 0;
  },
};

function symbolicMask(mask: number): string {
  const letters = (shift: number): string => {
    const allowed = ~(mask >> shift) & 7;
    return `${allowed & 4 ? "r" : ""}${allowed & 2 ? "w" : ""}${allowed & 1 ? "x" : ""}`;
  };
  return `u=${letters(6)},g=${letters(3)},o=${letters(0)}`;
}

function changedMask(text: string, mask: number): number | undefined {
  let allowed = ~mask & 0o777;
  for (const clause of text.split(",")) {
    const match = /^([ugoa]*)((?:[-+=][rwxXstugo]*)+)$/.exec(clause);
    if (match === null) return undefined;
    const who = match[1] === "" || match[1]?.includes("a") === true ? "ugo" : (match[1] ?? "");
    for (const [, operator = "", letters = ""] of (match[2] ?? "").matchAll(/([-+=])([rwxXstugo]*)/g)) {
      for (const [i, one] of Array.from("ugo").entries()) {
        if (!who.includes(one)) continue;
        const shift = 6 - 3 * i;
        const now = (allowed >> shift) & 7;
        let bits = 0;
        for (const letter of letters) {
          if (letter === "r") bits |= 4;
          if (letter === "w") bits |= 2;
          if (letter === "x" || letter === "X") bits |= 1;
          if ("ugo".includes(letter)) bits |= (allowed >> (6 - 3 * "ugo".indexOf(letter))) & 7;
        }
        const next = operator === "+" ? now | bits : operator === "-" ? now & ~bits : bits;
        allowed = (allowed & ~(7 << shift)) | (next << shift);
      }
    }
  }
  return ~allowed & 0o777;
}

export const ulimit: Builtin = {
  name: "ulimit",
  summary: "limits of the shell's processes, which are fixed here",
  usage: "ulimit [-aSHcdfmnstuv]",
  async run({ args, out, complain }) {
    const limits: Readonly<Record<string, string>> = {
      c: "0",
      d: "unlimited",
      f: "unlimited",
      m: "unlimited",
      n: "1024",
      s: "8192",
      t: "unlimited",
      u: String(PROCESSES_MAX),
      v: "unlimited",
    };
    const letters = args
      .filter((word) => word.startsWith("-"))
      .join("")
      .replaceAll(/[-SH]/g, "");
    const value = args.find((word) => !word.startsWith("-"));
    if (letters.includes("a")) {
      await out(
        Object.entries(limits)
          .map(([letter, limit]) => `-${letter}: ${limit}\n`)
          .join(""),
      );
      return 0;
    }
    const limit = limits[letters === "" ? "f" : letters];
    if (limit === undefined) {
      await complain(`-${letters}: invalid option`);
      return 2;
    }
    if (value !== undefined && value !== limit) {
      await complain("limits cannot be changed here");
      return 1;
    }
    if (value === undefined) await out(`${limit}\n`);
    return 0;
  },
};
