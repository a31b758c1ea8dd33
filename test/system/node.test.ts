/** One node: how it starts, serves, refuses, ends and comes back. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { eventually, type Lab, type Node, openLab } from "./processes.ts";

async function idOf(lab: Lab, node: Node): Promise<string> {
  const facts = (await lab.shJson(node, "whoami --json")) as { peer: string };
  return facts.peer;
}

test("a node serves its page, prints its invite once, and leaves with a goodbye", async () => {
  await using lab = await openLab();
  const node = await lab.up({ args: ["--name", "harbour"] });
  const page = await fetch(node.url);
  expect(page.status).toBe(200);
  expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
  expect(await page.text()).toContain("<!doctype html>");
  expect(await (await fetch(`${node.url}health`)).text()).toBe("ok\n");
  const ended = await node.process.end("SIGTERM");
  expect(ended).toMatchObject({ status: 0, stderr: "" });
  // The first link that it prints works, and it prints no link that would not work.
  expect(ended.stdout).toMatch(/^invite: http:\S+#v2\.[\w-]+\n/);
  expect(ended.stdout.match(/https?:\/\//g)).toHaveLength(1);
  expect(ended.stdout).toContain("called harbour");
  expect(ended.stdout).toContain("goodbye");
});

test("a node says everything as JSON when asked to", async () => {
  await using lab = await openLab();
  const running = lab.starfish(["up", "--data", join(lab.folder, "json"), "--port", "0", "--json"]);
  await running.output(/"event":"invite"/);
  const { stdout } = await running.end("SIGINT");
  const events = stdout
    .trim()
    .split("\n")
    .map((line): unknown => JSON.parse(line));
  expect(events).toContainEqual(expect.objectContaining({ event: "invite", invite: expect.stringContaining("#v2.") }));
  expect(events).toContainEqual(expect.objectContaining({ event: "leaving", signal: "SIGINT" }));
});

test("a directory in use is refused; after a crash the same node comes back", async () => {
  await using lab = await openLab();
  const node = await lab.up();
  const id = await idOf(lab, node);
  const second = await lab.starfish(["up", "--data", node.data, "--port", "0"]).finished;
  expect(second.status).toBe(75);
  expect(second.stderr).toContain(`process ${node.process.child.pid}`);
  await node.process.end("SIGKILL");
  const again = await lab.up({ data: node.data });
  expect(await idOf(lab, again)).toBe(id);
});

test("what cannot start says why", async () => {
  await using lab = await openLab();
  const node = await lab.up();
  const { port } = new URL(node.url);
  const taken = lab.starfish(["up", "--data", join(lab.folder, "taken"), "--port", port]).finished;
  expect(await taken).toMatchObject({ status: 75, stderr: expect.stringContaining(`Port ${port}`) });
  const invite = `${node.invite.slice(0, -9)}x`;
  const uninvited = lab.starfish(["up", "--data", join(lab.folder, "bad"), "--port", "0", "--join", invite]).finished;
  expect(await uninvited).toMatchObject({ status: 65, stderr: expect.stringMatching(/Copy/) });
  const wrong = lab.starfish(["up", "--cores", "many"]).finished;
  expect(await wrong).toMatchObject({ status: 64, stderr: expect.stringContaining("--cores") });
  for (const [option, value] of [
    ["--host", ""],
    ["--data", ""],
    ["--name", "two words"],
    ["--name", "n".repeat(33)],
    ["--device", "a\nb"],
    ["--tls", "other"],
    ["--tls-cert", "cert.pem"],
  ] as const) {
    const refused = await lab.starfish(["up", option, value]).finished;
    expect(refused).toMatchObject({ status: 64, stdout: "", stderr: expect.stringContaining(option) });
  }
  expect(await lab.starfish(["upp"]).finished).toMatchObject({ status: 64 });
  expect(await lab.starfish(["--help"]).finished).toMatchObject({
    status: 0,
    stdout: expect.stringContaining("starfish up"),
  });
});

test("sh passes lines, streams and statuses through", async () => {
  await using lab = await openLab();
  const node = await lab.up();
  expect(await lab.sh(node, "echo one | echo two && echo three; echo 'four  five'")).toMatchObject({
    status: 0,
    stdout: "two\nthree\nfour  five\n",
    stderr: "",
  });
  expect(await lab.sh(node, "frobnicate")).toMatchObject({
    status: 127,
    stderr: expect.stringContaining("frobnicate"),
  });
  expect(await lab.sh(node, "echo |")).toMatchObject({ status: 2 });
  expect(await lab.sh(node, "ping")).toMatchObject({ status: 64, stderr: expect.stringContaining("--help") });
  expect(await lab.sh(node, "frobnicate || echo saved")).toMatchObject({ status: 0, stdout: "saved\n" });
  const script = lab.starfish(["sh", "--data", node.data], { stdin: "echo a\n\n# nothing\necho 'b\nc'\nfrobnicate\n" });
  expect(await script.finished).toMatchObject({ status: 127, stdout: "a\nb\nc\n" });
  expect((await lab.starfish(["invite", "--data", node.data]).finished).stdout).toBe(`${node.invite}\n`);
  const nobody = lab.starfish(["sh", "--data", join(lab.folder, "nobody"), "-c", "peers"]).finished;
  expect(await nobody).toMatchObject({ status: 69, stderr: expect.stringContaining("starfish up") });
});

test("files are those of the caller, and an interrupt ends what runs", async () => {
  await using lab = await openLab();
  const node = await lab.up();
  await writeFile(join(lab.folder, "not.wasm"), "no module");
  expect(await lab.sh(node, "map ./not.wasm", { stdin: "x\n" })).toMatchObject({
    status: 1,
    stderr: expect.stringContaining("WebAssembly"),
  });
  expect(await lab.sh(node, "map ./absent.wasm", { stdin: "x\n" })).toMatchObject({ status: 1 });
  expect(await lab.sh(node, "map mandelbrot --size 8x8 --out nowhere/x.png")).toMatchObject({
    status: 1,
    stderr: expect.stringContaining("there is no nowhere here"),
  });
  const long = lab.starfish(["sh", "--data", node.data, "-c", "map primes --range 0..900000000000"]);
  await eventually(
    "the job runs",
    async () => (await lab.sh(node, "ps")).stdout,
    (stdout) => / running .*primes /.test(stdout),
  );
  expect(await long.end("SIGINT")).toMatchObject({ status: 130 });
  expect(await lab.sh(node, "cancel")).toMatchObject({ status: 1, stderr: expect.stringContaining("no job") });
});
