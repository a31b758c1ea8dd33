/** The program behind `top`: what the swarm computes, redrawn when something changes. */
import type { Computer } from "../../computer.ts";
import { sleep } from "../../ports/clock.ts";
import { count, dim, paint, table, wrapped } from "../format.ts";
import { oneLine } from "../harmless.ts";
import { factsOf, type JobFacts } from "../jobs/facts.ts";
import { JOB_HEAD, jobRow, strip } from "../jobs/table.ts";
import { compose, joined, linesOf, type Text } from "../styled.ts";
import type { TerminalInfo } from "../types.ts";
import { mark } from "../who.ts";
import { cut } from "../width.ts";
import type { FullScreen } from "./full-screen.ts";
import { untilLeft } from "./redraw.ts";
import { inverse, screenOf } from "./rows.ts";

/** Times and rates change without any event. */
const REDRAW_MS = 1_000;
/** Finished jobs that are shown after the running ones, so that one sees how they ended. */
const OVER_MAX = 5;

export async function runTop(screen: FullScreen, computer: Computer): Promise<number> {
  let wake: () => void = () => {};
  const unlisten = computer.jobs.onChange(() => wake());
  const draw = (): Promise<void> => screen.draw(screenOf(fitting(computer, screen.info())));
  try {
    return await untilLeft(screen, draw, async (signal) => {
      while (!signal.aborted) {
        await draw();
        const changed = new Promise<void>((resolve) => (wake = resolve));
        await Promise.race([changed, sleep(computer.clock, REDRAW_MS, { signal })]);
      }
    });
  } finally {
    unlisten();
  }
}

function fitting(computer: Computer, info: TerminalInfo): Text[] {
  return topRows(computer, info).slice(0, info.rows);
}

export function topRows(computer: Computer, screen: TerminalInfo | undefined): Text[] {
  const states = computer.jobs.list();
  const all = states.map((state) => ({ state, facts: factsOf(state, computer) }));
  const running = all.filter(({ facts }) => facts.state === "running");
  const over = all.filter(({ facts }) => facts.state !== "running").slice(0, OVER_MAX);
  const members = computer.net.members().filter(({ status }) => status !== "gone");
  const lent = members.reduce((sum, { record }) => sum + record.coresLent, 0);
  const busy = members.reduce((sum, { record }) => sum + record.coresBusy, 0);
  const title = `${count(running.length, "job")} running · ${count(members.length, "member")} · ${busy} of ${lent} lent cores busy${screen === undefined ? "" : " · q leaves"}`;
  const columns = screen?.columns ?? 100;
  const shown = [...running, ...over];
  const head = JOB_HEAD.map((word) => dim(word, screen));
  const jobs = linesOf(table([head, ...shown.map(({ facts }) => jobRow(facts, screen))], columns));
  const strips = running.flatMap(({ state, facts }) => [
    "",
    oneLine(facts.title),
    strip(state, facts, columns - 1, screen),
    ...linesOf(wrapped(workers(facts, screen), columns)),
  ]);
  const nodes = members.map((member) => {
    const { record } = member;
    return [
      paint(`${mark(member)} ${record.name}`, record.peer, screen),
      `${record.coresLent}`,
      record.coresBusy === 0 ? "" : `${record.coresBusy}`,
    ];
  });
  const nodeHead = ["node", "lends", "busy"].map((word) => dim(word, screen));
  const empty = shown.length === 0 ? [dim("No jobs: try 'map primes --range 0..100000000 --detach'.", screen)] : jobs;
  return [
    screen === undefined ? title : inverse(cut(title, columns - 1)),
    ...empty,
    ...strips,
    "",
    ...linesOf(table([nodeHead, ...nodes], columns)),
  ];
}

/** The nodes that work on it, those that did most first. */
function workers({ nodes }: JobFacts, screen: TerminalInfo | undefined): Text {
  const parts = nodes.map(({ peer, name, done, running }) => {
    return compose`${paint(`● ${oneLine(name)}`, peer, screen)} ${String(done)}${running > 0 ? `+${running}` : ""}`;
  });
  return joined(parts, "  ");
}
