/**
 * Stories that happen to a replicated map: machines come and go, clocks are wrong, the network is cut, and all the
 * while keys are written, deleted and acknowledged. A story is a list of events made from a seed. So it can be printed,
 * run again, and, if it ends badly, shortened until only the events are left that cause this.
 */
import { isStarfishError } from "../../core/base/errors.ts";
import { lossyGossip } from "./lossy-gossip.ts";
import { MapChecker } from "./map-checker.ts";
import { type MapNode, MapSwarm } from "./maps.ts";
import { SeededRandom } from "./random.ts";
import { SimWorld } from "./world.ts";

type Happening =
  | { readonly kind: "start"; readonly machine: number; readonly skewMs: number }
  | { readonly kind: "end"; readonly machine: number; readonly how: "goodbye" | "crash" | "silent" }
  | { readonly kind: "jump"; readonly machine: number; readonly byMs: number }
  | { readonly kind: "write"; readonly machine: number; readonly key: string; readonly value: number }
  | {
      readonly kind: "expire";
      readonly machine: number;
      readonly key: string;
      readonly value: number;
      readonly inMs: number;
    }
  | { readonly kind: "delete"; readonly machine: number; readonly key: string }
  | { readonly kind: "sync"; readonly machine: number }
  | { readonly kind: "cut"; readonly parts: number; readonly salt: number }
  | { readonly kind: "heal" };

export type Event = Happening & { readonly atMs: number };

export interface StoryOptions {
  readonly seed: number;
  readonly machines: number;
  readonly minutes: number;
  readonly medianSessionMs: number;
  /** Keys there are from the start, and those that are written while the story runs. */
  readonly entries: number;
  readonly writesPerSecond: number;
  /** Whether each key is written once, by one node, before all else. */
  readonly filled?: boolean;
  /** Whether everything is deleted behind the checkers' back at the end: for the test of the checkers themselves. */
  readonly sabotage?: boolean;
}

/** Wrong, but near enough that common time may make up for it. */
const FAR_MS = 4 * 60_000;
/** More than stamps may be ahead, but less than would make the certificates of such a young swarm invalid. */
const JUMP_MS = 4 * 60_000;
/** The story begins when all are there. */
const GATHERING_MS = 15_000;

/** Makes the events of a story, in order. */
export function storyOf(options: StoryOptions): Event[] {
  const random = new SeededRandom(`story/${options.seed}`);
  const endMs = GATHERING_MS + options.minutes * 60_000;
  const events: Event[] = [];
  const add = (atMs: number, happening: Happening): void => void events.push({ atMs: Math.round(atMs), ...happening });
  const chance = (share: number): boolean => random.real() < share;
  const exponential = (medianMs: number): number => (-medianMs / Math.LN2) * Math.log(1 - random.real());

  // The founder, m0, is there from the start and stays.
  for (let machine = 1; machine < options.machines; machine++) {
    const skewMs = machine === 3 ? FAR_MS : (random.real() - 0.5) * 60_000;
    let atMs = machine * 80;
    add(atMs, { kind: "start", machine, skewMs });
    for (;;) {
      atMs += exponential(options.medianSessionMs);
      if (atMs > endMs) break;
      add(atMs, { kind: "end", machine, how: chance(0.4) ? "goodbye" : chance(0.5) ? "crash" : "silent" });
      atMs += 3_000 + exponential(5_000);
      if (atMs > endMs) break;
      add(atMs, { kind: "start", machine, skewMs });
    }
  }
  add(GATHERING_MS + random.real() * 60_000, { kind: "jump", machine: 5, byMs: -JUMP_MS });
  for (let atMs = GATHERING_MS + 20_000; atMs < endMs - 45_000; atMs += 60_000) {
    add(atMs, { kind: "cut", parts: chance(0.5) ? 2 : 5, salt: Math.floor(random.real() * 1e6) });
    add(atMs + 30_000, { kind: "heal" });
  }
  add(endMs - 40_000, { kind: "cut", parts: 2, salt: Math.floor(random.real() * 1e6) });

  let value = 0;
  for (let atMs = GATHERING_MS; atMs < endMs; atMs += exponential(1_000 / options.writesPerSecond)) {
    const machine = Math.floor(random.real() * options.machines);
    const key = `key-${Math.floor(random.real() * options.entries)}`;
    if (chance(0.15)) add(atMs, { kind: "delete", machine, key });
    else if (chance(0.1))
      add(atMs, { kind: "expire", machine, key, value: value++, inMs: 1_000 + random.real() * 60_000 });
    else add(atMs, { kind: "write", machine, key, value: value++ });
    if (chance(0.1)) add(atMs + 50, { kind: "sync", machine });
  }
  return events.sort((x, y) => x.atMs - y.atMs);
}

export interface Outcome {
  readonly faults: readonly string[];
  /** From the last heal until all were equal, virtual ms. */
  readonly equalMs: number;
  readonly writes: number;
  readonly acknowledgements: number;
  /** The number of those whose holders all died before they met other nodes. */
  readonly outlived: number;
  readonly trace: string;
}

/** Runs the events to their end, heals, and checks. Rejects only where the simulation itself fails. */
export async function runStory(events: readonly Event[], options: StoryOptions): Promise<Outcome> {
  const world = new SimWorld({ seed: options.seed, path: { loss: 0.01 } });
  const wrap = lossyGossip({ lost: 0.05, twice: 0.05, late: 0.1, lateMs: 400 });
  const swarm = new MapSwarm(world, { wrap });
  const checker = new MapChecker();
  const run = new Run(swarm, checker);
  checker.watch(await swarm.start({ name: "m0", kind: "node" }));
  for (const event of events) {
    if (event.atMs > world.nowMs) await world.run({ untilMs: event.atMs });
    if (options.filled === true && event.atMs >= GATHERING_MS) run.fill(options.entries);
    run.happen(event);
  }
  run.heal();
  if (options.sabotage === true) run.sabotage();
  const beganMs = world.nowMs;
  const faults: string[] = [];
  const prints = (): Set<string> => new Set(swarm.nodes.map(({ map }) => map.stat().fingerprint));
  try {
    await world.runUntil(() => run.isSettled && prints().size <= 1, { withinMs: 30_000, everyMs: 100 });
  } catch {
    faults.push(`not equal within 30 s: ${prints().size} states; ${swarm.difference() ?? ""}`);
  }
  const equalMs = world.nowMs - beganMs;
  // Time for messages that wait or are on their way.
  await world.runFor(5_000);
  faults.push(...checker.faults(swarm.nodes), ...run.faults);
  const difference = swarm.difference();
  if (difference !== undefined) faults.push(`not equal at the end: ${difference}`);
  return {
    faults,
    equalMs,
    writes: checker.writes,
    acknowledgements: checker.acknowledgements,
    outlived: checker.outlived,
    trace: world.traceHash(),
  };
}

class Run {
  readonly faults: string[] = [];
  readonly #swarm: MapSwarm;
  readonly #checker: MapChecker;
  /** What was written on a machine since its last `sync`. */
  readonly #unsynced = new Map<number, [string, ReturnType<MapChecker["wrote"]>][]>();
  #cut: { readonly parts: number; readonly salt: number } | undefined;
  #starting = 0;
  #isFilled = false;

  constructor(swarm: MapSwarm, checker: MapChecker) {
    this.#swarm = swarm;
    this.#checker = checker;
  }

  get isSettled(): boolean {
    return this.#starting === 0;
  }

  happen(event: Event): void {
    const name = "machine" in event ? `m${event.machine}` : "";
    switch (event.kind) {
      case "start":
        return this.#start(event.machine, event.skewMs);
      case "end":
        return this.#end(name, event.how);
      case "jump":
        return this.#swarm.running.get(name)?.machine.jumpClock(event.byMs);
      case "cut":
        this.#cut = event;
        return this.#partition();
      case "heal":
        return this.heal();
      default:
        return this.#use(event.machine, event);
    }
  }

  /** Writes all keys, the first time it is called. */
  fill(entries: number): void {
    if (this.#isFilled) return;
    this.#isFilled = true;
    const { map } = this.#swarm.node("m0");
    for (let i = 0; i < entries; i++) {
      const key = `key-${i}`;
      this.#checker.wrote(key, map.set(key, -1), -1);
    }
  }

  /** Deletes everything without telling the checkers. */
  sabotage(): void {
    const [node] = this.#swarm.nodes;
    for (const { key } of node?.map.entries() ?? []) node?.map.delete(key);
  }

  heal(): void {
    this.#cut = undefined;
    this.#swarm.world.heal();
  }

  #start(machine: number, skewMs: number): void {
    const name = `m${machine}`;
    if (this.#swarm.running.has(name)) return;
    if (this.#swarm.world.nodes.some((node) => node.name === name && node.running)) return;
    const host = this.#swarm.nodes.find(
      (node) => node.machine.machine.kind === "node" && this.#side(node.machine.name) === this.#side(name),
    );
    // Nobody on its side of the cut could serve it the page.
    if (host === undefined) return;
    this.#starting++;
    // One in three is a Node.js node.
    const started = this.#swarm.up({ name, kind: machine % 3 === 0 ? "node" : "tab", skewMs }, host);
    started.then(
      (node) => {
        this.#starting--;
        this.#checker.watch(node);
        if (this.#cut !== undefined) this.#partition();
      },
      // By its clock the invite is not valid yet: it stays out, and says so.
      (error: unknown) => {
        this.#starting--;
        if (!isStarfishError(error, "bad-certificate") && !isStarfishError(error, "bad-invite")) throw error;
        this.#swarm.world.crash(name);
      },
    );
  }

  #end(name: string, how: "goodbye" | "crash" | "silent"): void {
    if (!this.#swarm.running.has(name)) return;
    this.#unsynced.delete(Number(name.slice(1)));
    if (how === "goodbye") this.#swarm.leave(name);
    else this.#swarm.crash(name, how === "silent");
    this.#checker.ended(this.#swarm.nodes);
  }

  #partition(): void {
    const groups: string[][] = Array.from({ length: this.#cut?.parts ?? 1 }, () => []);
    for (const { name } of this.#swarm.world.nodes) groups[this.#side(name)]?.push(name);
    this.#swarm.world.partition(groups);
  }

  #side(name: string): number {
    const { parts, salt } = this.#cut ?? { parts: 1, salt: 0 };
    return (Math.imul(Number(name.slice(1)) + 1, salt | 1) >>> 7) % parts;
  }

  #use(machine: number, event: Event): void {
    const node = this.#swarm.running.get(`m${machine}`);
    if (node === undefined) return;
    if (event.kind === "sync") return this.#sync(machine, node);
    if (event.kind !== "write" && event.kind !== "expire" && event.kind !== "delete") return;
    try {
      this.#write(machine, node, event);
    } catch (error) {
      // If the node's clock is not right yet, it says so, and nothing is written.
      if (!isStarfishError(error, "clock")) throw error;
    }
  }

  #write(machine: number, { map }: MapNode, event: Extract<Event, { key: string }>): void {
    const { key } = event;
    let written: ReturnType<MapChecker["wrote"]>;
    if (event.kind === "delete") {
      const version = map.delete(key);
      if (version === undefined) return;
      written = this.#checker.wrote(key, version, undefined);
    } else if (event.kind === "expire") {
      written = this.#checker.wrote(
        key,
        map.set(key, event.value, { expiresInMs: event.inMs }),
        event.value,
        event.inMs,
      );
    } else {
      written = this.#checker.wrote(key, map.set(key, event.value), event.value);
    }
    const list = this.#unsynced.get(machine) ?? [];
    list.push([key, written]);
    this.#unsynced.set(machine, list);
  }

  #sync(machine: number, { map }: MapNode): void {
    const list = this.#unsynced.get(machine) ?? [];
    this.#unsynced.delete(machine);
    map.sync().then(
      () => {
        for (const [key, written] of list) this.#checker.acknowledged(key, written);
      },
      () => {},
    );
  }
}

/**
 * A shorter story that still ends badly: leaves out ever smaller parts (Zeller and Hildebrandt, "Simplifying and
 * isolating failure-inducing input", TSE 2002), with at most `runsMax` runs.
 */
export async function shrink(
  events: readonly Event[],
  endsBadly: (events: readonly Event[]) => Promise<boolean>,
  runsMax: number,
): Promise<readonly Event[]> {
  let story = events;
  let runs = 0;
  for (let parts = 2; runs < runsMax && parts <= story.length;) {
    const size = Math.ceil(story.length / parts);
    let found: readonly Event[] | undefined;
    for (let at = 0; at < story.length && runs < runsMax; at += size) {
      const without = [...story.slice(0, at), ...story.slice(at + size)];
      runs++;
      if (await endsBadly(without)) {
        found = without;
        break;
      }
    }
    if (found === undefined) parts *= 2;
    else story = found;
    if (found !== undefined) parts = Math.max(2, parts - 1);
  }
  return story;
}

export function tell(events: readonly Event[]): string {
  return events
    .map(({ atMs, ...happening }) => `${(atMs / 1000).toFixed(2)} s ${JSON.stringify(happening)}`)
    .join("\n");
}
