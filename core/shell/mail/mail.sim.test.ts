/** The commands mail and me, between three whole computers in a simulated world. */
import { encode as encodePng } from "fast-png";
import { beforeEach, describe, expect, it } from "vitest";
import { type Ran, ShellBench, TERMINAL } from "../../../test/sim/shell-bench.ts";
import { followMail } from "./notices.ts";

let bench: ShellBench;

beforeEach(async () => {
  bench = new ShellBench();
  await bench.up("first");
  await bench.company();
  const knows = (): boolean =>
    [...bench.computers.values()].every(({ mail }) => mail.correspondents().length === bench.computers.size);
  await bench.world.runUntil(knows, { withinMs: 20_000, what: "all know each other's keys" });
});

function run(on: string, line: string, stdin = ""): Promise<Ran> {
  return bench.run(line, { on, stdin });
}

async function unread(on: string, count = 1): Promise<void> {
  const { mail } = bench.computer(on);
  await bench.world.runUntil(() => mail.unread() === count, { withinMs: 60_000, what: `${on} has ${count} unread` });
}

async function shows(on: string, line: string, what: string | RegExp): Promise<Ran> {
  let ran: Ran = { status: -1, stdout: "", stderr: "" };
  for (let i = 0; i < 100; i++) {
    ran = await run(on, line);
    if (typeof what === "string" ? ran.stdout.includes(what) : what.test(ran.stdout)) return ran;
    await bench.world.runFor(200);
  }
  throw new Error(`'${line}' never shows ${what}: ${ran.stdout}${ran.stderr}`);
}

describe("mail", () => {
  it("goes to a node with text from standard input and a file, is listed, read and saved", async () => {
    await run("first", "echo a photo | put - /photo.jpg");
    const sent = await run("first", "mail second /photo.jpg -m - -s lunch", "at one?\nbring soup\n");
    expect(sent).toMatchObject({ status: 0, stdout: "Sent to second. It is 1 in 'mail sent'.\n", stderr: "" });
    await unread("second");
    expect((await run("second", "mail")).stdout).toMatch(/● 1 {2}first {2}\d+ s {2}lunch {4,}1 file, 8 B/);
    expect((await run("third", "mail")).stdout).toBe("No mail.\n");
    expect((await run("first", "mail sent")).stdout).toMatch(/^1 {2}second .*(waiting|delivered).*lunch$/m);
    const read = await run("second", "mail read 1");
    expect(read.stdout).toMatch(
      /^From +first\nTo +second\nDate +\S+ \S+ UTC\nSubject +lunch\nFile +photo.jpg \(8 B\)\n/,
    );
    expect(read.stdout).toContain("\n\nat one?\nbring soup\n");
    await shows("first", "mail sent", /read \d+ s ago/);
    const saved = await run("second", "mail save 1 /saved; cat /saved/photo.jpg; mail save 1 /saved");
    expect(saved.stdout).toBe("/saved/photo.jpg: 8 B\na photo\n");
    expect(saved.stderr).toContain("/saved/photo.jpg is there already");
    expect(saved.status).toBe(1);
  });

  it("is answered, forwarded with its files, and removed", async () => {
    await run("first", "echo soup | put - /menu; mail second -m 'at one?' -s lunch /menu");
    await unread("second");
    expect((await run("second", "mail reply 1 -m yes")).status).toBe(0);
    await unread("first");
    expect((await run("first", "mail read 1")).stdout).toMatch(/Subject +Re: lunch\n[^]*yes/);
    expect((await run("second", "mail forward 1 third -m look")).stderr).toBe("");
    await unread("third");
    const forwarded = await run("third", "mail read 1; cat /mail/inbox/1/files/menu");
    expect(forwarded.stdout).toMatch(
      /Subject +Fwd: lunch[^]*look\n\n---- first wrote on .*: lunch\n\nat one\?[^]*soup\n$/,
    );
    expect((await run("second", "mail rm 1; mail")).stdout).toBe("No mail.\n");
    expect((await run("first", "mail sent rm 1; mail sent")).stdout).toBe("Nothing was sent from this node.\n");
  });

  it("is a tree of files too", async () => {
    await run("first", "mail second -m 'at one?' -s lunch");
    await unread("second");
    const line = "ls /mail /mail/inbox /mail/inbox/1; cat /mail/inbox/1/from /mail/inbox/1/subject";
    expect((await run("second", line)).stdout).toBe(
      "/mail:\ninbox\nsent\n\n/mail/inbox:\n1\n\n/mail/inbox/1:\ndate\nfiles\nfrom\nsubject\ntext\nto\nfirst\nlunch\n",
    );
    expect(bench.computer("second").mail.unread()).toBe(1);
    expect((await run("second", "cat /mail/inbox/1/text")).stdout).toBe("at one?\n");
    expect(bench.computer("second").mail.unread()).toBe(0);
    expect((await run("second", "rm -r /mail/inbox/1")).stderr).toContain("'mail rm N' removes it");
    await shows("first", "cat /mail/sent/1/state", "second\tread\n");
  });

  it("says what is wrong, and sends nothing then", async () => {
    const wrong: [line: string, words: string, status: number][] = [
      ["mail secnd -m x", "did you mean 'second'?", 1],
      ["mail second /nothing -m x", "is not a node, a person or a file", 1],
      ["mail second / -m x", "/ is a directory; pack it first", 1],
      ["mail read 7", "there is no mail 7", 1],
      ["mail read", "N is missing", 64],
      ["mail reply x -m y", "N must be a whole number", 64],
      [`mail second -s ${"s".repeat(201)} -m x`, "a subject has at most 200 characters", 1],
      ["mail forward 1", "there is no mail 1", 1],
      ["mail sent x", "one word too many", 64],
    ];
    for (const [line, words, status] of wrong) {
      const ran = await run("first", line);
      expect(ran.stderr, line).toContain(words);
      expect(ran.status, line).toBe(status);
    }
    expect(bench.computer("first").mail.sent()).toEqual([]);
  });

  it("makes what others wrote harmless on a terminal, and gives a pipe what they wrote", async () => {
    const evil = "\u001b]0;title\u0007\u202eevil";
    await bench.world.settle(
      bench.computer("first").mail.send({
        to: [{ kind: "node", peer: bench.computer("second").net.self }],
        subject: evil,
        text: `${evil}\n`,
        files: [{ name: `../${evil}`, bytes: pieces("x") }],
      }),
      { withinMs: 60_000 },
    );
    await unread("second");
    const told: string[] = [];
    followMail(bench.computer("second"), (text) => told.push(text));
    for (const line of ["mail", "mail read 1", "ls -l /mail/inbox", "ls /mail/inbox/1/files", "mail save 1 /here"]) {
      const ran = await bench.run(line, { on: "second", terminal: { ...TERMINAL, colours: false } });
      expect(ran.stdout, line).not.toMatch(/(?!\n)\p{Cc}|\u202e/u);
    }
    expect(told).toEqual(["✉ 1 mail unread: 'mail' lists what is here."]);
    expect(JSON.parse((await run("second", "mail read 1 --json")).stdout)).toMatchObject({ text: `${evil}\n` });
    expect((await run("second", "ls /here")).stdout).toMatch(/^__.*evil\n$/);
  });

  it("leaves nothing behind when it is cancelled, and tells a terminal of what arrives", async () => {
    const { mail } = bench.computer("first");
    const stop = new AbortController();
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) yield new Uint8Array(100_000);
    }
    const sending = bench.start("mail second -m -", { stdin: slow(bench), signal: stop.signal });
    await bench.world.runFor(500);
    stop.abort();
    expect((await bench.world.settle(sending, { withinMs: 10_000 })).status).toBe(130);
    const to = [{ kind: "node", peer: bench.computer("second").net.self }] as const;
    const cut = new AbortController();
    const large = mail.send({ to, files: [{ name: "f", bytes: endless() }] }, { signal: cut.signal });
    large.catch(() => {});
    await bench.world.runFor(300);
    cut.abort();
    await expect(bench.world.settle(large, { withinMs: 60_000 })).rejects.toMatchObject({ code: "cancelled" });
    expect(mail.sent()).toEqual([]);
    const told: string[] = [];
    followMail(bench.computer("second"), (text) => told.push(text));
    await run("first", "mail second -m 'at one?'");
    await unread("second");
    expect(told).toEqual(["✉ Mail from first: at one? ('mail read 1')"]);
  });
});

describe("me", () => {
  it("makes two nodes one person's, to whom mail comes once and is read once", async () => {
    expect((await run("first", "me")).stdout).toContain("Nobody has said whose node this is");
    expect((await run("first", "me add")).stderr).toContain("first say who you are");
    expect((await run("first", "me name anna")).status).toBe(0);
    const [, code = ""] = /me join (\S+)/.exec((await run("first", "me add")).stdout) ?? [];
    const joined = await run("second", `me join ${code}`);
    expect(joined).toMatchObject({ status: 0, stdout: "This node is anna's now, with 1 other.\n" });
    expect((await run("third", `me join ${code}`)).stderr).toContain("used already");
    await shows("third", "peers", /first .* anna .*\n.*second .* anna/);
    expect((await shows("second", "me", "first")).stdout).toMatch(/^You are anna \(\w{8}\).\n/);
    await run("third", "mail anna -m 'hello both'");
    await unread("first");
    await unread("second");
    await run("second", "mail read 1");
    await unread("first", 0);
    await run("first", "mail rm 1");
    await shows("second", "mail", "No mail.");
    await shows("third", "mail sent", /anna .*read/);
    await run("first", "echo x | put - /by-anna");
    expect((await shows("third", "ls -l /", "by-anna")).stdout).toMatch(/anna .* by-anna/);
    expect(JSON.parse((await run("third", "peers --json")).stdout)).toContainEqual(
      expect.objectContaining({ name: "first", person: expect.objectContaining({ name: "anna" }) }),
    );
  });

  it("gives a person a picture, which peers and me tell of, and takes it away", async () => {
    const picture = encodePng({ width: 64, height: 64, data: new Uint8Array(3 * 64 * 64), channels: 3 });
    bench.files.set("anna.png", picture);
    bench.files.set("wide.png", encodePng({ width: 300, height: 1, data: new Uint8Array(900), channels: 3 }));
    bench.files.set("anna.svg", new TextEncoder().encode("<svg xmlns='http://www.w3.org/2000/svg'/>"));
    bench.files.set("camera.jpg", new Uint8Array(40_000));
    expect((await run("first", "me --picture anna.png")).stderr).toContain("first say who you are");
    await run("first", "me name anna");
    for (const [file, why] of [
      ["wide.png", "300 × 1 pixels"],
      ["anna.svg", "is a PNG, a JPEG or a WebP"],
      ["camera.jpg", "at most 16 KiB here; 'me --picture' in a tab makes any picture fit"],
      ["none.png", "there is no none.png"],
    ]) {
      const ran = await run("first", `me --picture ${file}`);
      expect([ran.status === 0, ran.stderr]).toEqual([false, expect.stringContaining(why ?? "")]);
    }
    expect((await run("first", "me --picture anna.png --no-picture")).status).toBe(64);
    await run("first", "put anna.png /anna.png");
    expect((await run("first", "me --picture /anna.png")).stdout).toMatch(/^You have a picture now \(\d+ B\)/);
    expect((await run("first", "me")).stdout).toMatch(/^You are anna \(\w{8}\), and have a picture\.\n/);
    await shows("third", "peers", /first .* anna \(has a picture\) /);
    expect((await run("third", "me --json")).stdout).toMatch(/"name":"anna",[^}]*"hasPicture":true/);
    expect((await run("first", "me --no-picture")).stdout).toBe("You have no picture now.\n");
    await shows("third", "peers", /first .* anna  /);
  });
});

async function* pieces(text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text);
}

/** Standard input of somebody who types without end. */
async function* slow({ world }: ShellBench): AsyncGenerator<Uint8Array> {
  const { clock } = world.node("first").ports;
  for (;;) {
    await new Promise<void>((resolve) => clock.timer(100, resolve));
    yield new TextEncoder().encode("more\n");
  }
}
