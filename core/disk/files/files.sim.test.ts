/** Files on simulated nodes that are cut apart, write, rename and delete, and meet again, with crashes between. */
import { expect, test } from "vitest";
import { MemoryContents, type Stored } from "../../../test/fixtures/contents.ts";
import { everything, source, write } from "../../../test/fixtures/files.ts";
import { MapSwarm, type MapNode } from "../../../test/sim/maps.ts";
import { SeededRandom } from "../../../test/sim/random.ts";
import { seeds } from "../../../test/sim/seeds.ts";
import { SimWorld } from "../../../test/sim/world.ts";
import { isStarfishError } from "../../base/errors.ts";
import type { ReplicatedMap } from "../../memory/types.ts";
import type { NodeFiles } from "./files.ts";
import { openFiles } from "./open.ts";

/** The files of each node, made anew for each of its lives. */
class FilesSwarm {
  readonly swarm: MapSwarm;
  readonly files: Map<string, NodeFiles> = new Map();
  readonly maps: Map<string, ReplicatedMap> = new Map();
  readonly #stored: Stored = new Map();

  constructor(seed: number) {
    this.swarm = new MapSwarm(new SimWorld({ seed }));
  }

  async open(node: MapNode): Promise<NodeFiles> {
    const { machine, net, memory } = node;
    const { store, clock, crypto, log } = machine.ports;
    const hash = async (pieces: readonly Uint8Array[]): Promise<Uint8Array[]> =>
      pieces.map((piece) => crypto.sha256(piece));
    const contents = new MemoryContents(hash, this.#stored);
    const files = await this.swarm.settle(openFiles({ net, memory, contents, store, clock, crypto, log }));
    this.files.set(machine.name, files);
    this.maps.set(machine.name, await memory.map("tree"));
    return files;
  }

  async alike(withinMs = 30_000): Promise<Record<string, string>> {
    const prints = (): Set<string> => new Set([...this.maps.values()].map((map) => map.stat().fingerprint));
    await this.swarm.world.runUntil(() => prints().size === 1, { withinMs, everyMs: 100, what: "all trees are equal" });
    const [first = {}, ...others] = await Promise.all([...this.files.values()].map(everything));
    for (const other of others) expect(other).toEqual(first);
    return first;
  }
}

const PATHS = ["report.txt", "a/1", "a/2", "a/b/3", "c", "c/4", "draft"];

/** One change on one node; what it wrote, if it did. */
async function change(files: NodeFiles, random: SeededRandom, content: string): Promise<string | undefined> {
  const pick = (): string => PATHS[Math.floor(random.real() * PATHS.length)] ?? "";
  try {
    const dice = random.real();
    if (dice < 0.15) files.remove(pick(), { recursive: true });
    else if (dice < 0.3) files.rename(pick(), pick());
    else if (dice < 0.4) files.makeDirectory(pick(), { parents: true });
    else if (dice < 0.5) await files.append(pick(), source(content));
    else {
      await write(files, pick(), content);
      return content;
    }
  } catch (error) {
    if (!isStarfishError(error)) throw error;
  }
  return undefined;
}

test.each(seeds(2, 100))("halves that change the same paths meet again and show the same (seed %i)", async (seed) => {
  const it = new FilesSwarm(seed);
  const random = new SeededRandom(`files/${seed}`);
  const nodes = await it.swarm.found(6);
  for (const node of nodes) await it.open(node);
  const names = nodes.map(({ machine }) => machine.name);
  const written: string[] = [];
  for (let cut = 0; cut < 3; cut++) {
    // Along another line each time.
    const shuffled = names.toSorted(() => random.real() - 0.5);
    it.swarm.world.partition([shuffled.slice(0, 3), shuffled.slice(3)]);
    for (let i = 0; i < 40; i++) {
      const name = names[Math.floor(random.real() * names.length)] ?? "";
      const files = it.files.get(name) as NodeFiles;
      const content = await change(files, random, `${cut}/${i} by ${name};`);
      if (content !== undefined) written.push(content);
      await it.swarm.world.runFor(random.real() * 500);
    }
    if (cut === 1) {
      const name = shuffled[0] ?? "";
      await it.swarm.settle(it.maps.get(name)?.sync() ?? Promise.resolve());
      it.swarm.crash(name);
      await it.open(await it.swarm.start({ name, kind: "node" }));
    }
    it.swarm.world.heal();
    await it.alike();
  }
  const living = Object.values(await it.alike());
  const versions = new Set(living);
  const files = it.files.get("m0") as NodeFiles;
  const map = it.maps.get("m0") as ReplicatedMap;
  for (const { value } of map.entries()) {
    const inline = (value as { inline?: Uint8Array }).inline;
    if (inline !== undefined) versions.add(new TextDecoder().decode(inline));
  }
  for (const content of written)
    expect([...versions].some((text) => text.startsWith(content) || text.includes(content))).toBe(true);
  expect([...files.walk("/")].length).toBeGreaterThan(1);
});

test.each(seeds(1, 200))(
  "a directory that is renamed, copied or removed is seen whole by every node (seed %i)",
  async (seed) => {
    const it = new FilesSwarm(seed);
    const nodes = await it.swarm.found(4);
    for (const node of nodes) await it.open(node);
    const files = it.files.get("m0") as NodeFiles;
    const COUNT = 1_000;
    for (let i = 0; i < COUNT; i++) await write(files, `/old/${i % 7}/file ${i}`, `${i}`);
    await it.alike();
    const seen = new Set<string>();
    const countIn = (one: NodeFiles, path: string): number =>
      one.stat(path) === undefined ? 0 : [...one.walk(path)].filter(({ kind }) => kind === "file").length;
    const look = (one: NodeFiles): void =>
      void seen.add(["/old", "/new", "/copy"].map((path) => countIn(one, path)).join("/"));
    // In the middle of what a watcher is told, and whenever else. Not all of the calls, which are thousands.
    let calls = 0;
    for (const one of it.files.values()) {
      one.watch("/", () => void (calls++ % 97 === 0 && look(one)));
    }
    const step = async (change: () => void): Promise<void> => {
      if (seed % 2 === 0) it.swarm.world.partition([["m0", "m1"]]);
      change();
      for (let i = 0; i < 10; i++) {
        await it.swarm.world.runFor(50);
        for (const one of it.files.values()) look(one);
      }
      it.swarm.world.heal();
      await it.alike();
    };
    await step(() => files.rename("/old", "/new"));
    await step(() => void files.copy("/new", "/copy"));
    await step(() => files.remove("/new", { recursive: true }));
    expect([...seen].toSorted()).toEqual(["0/0/1000", "0/1000/0", "0/1000/1000", "1000/0/0"]);
  },
);

test("a write is safe when others hold it, and the newcomer sees all of the tree", async () => {
  const it = new FilesSwarm(7);
  for (const node of await it.swarm.found(3)) await it.open(node);
  const files = it.files.get("m0") as NodeFiles;
  const { safe } = await it.swarm.settle(files.write("/x", source("content")));
  await it.swarm.settle(safe);
  const holders = [...it.files.values()].filter((one) => one.stat("/x") !== undefined);
  expect(holders.length).toBeGreaterThanOrEqual(2);
  for (let i = 0; i < 3_000; i++) await write(files, `/many/${i}`, `${i}`);
  await it.open(await it.swarm.start({ name: "late", kind: "node" }));
  expect(Object.keys(await it.alike())).toHaveLength(3_001);
});
