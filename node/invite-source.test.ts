import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { inviteFrom } from "./invite-source.ts";

const LINK = "http://127.0.0.1:4500/#abc";
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "starfish-invite-"));
  await writeFile(join(folder, "invite"), `${LINK}\n`);
  await writeFile(join(folder, "empty"), "\n");
  await writeFile(join(folder, "large"), "x".repeat(100_000));
});
afterAll(() => rm(folder, { recursive: true }));

function from(value: string | undefined, env: NodeJS.ProcessEnv = {}, stdin = ""): Promise<string | undefined> {
  return inviteFrom(value, {
    env,
    stdin: (async function* () {
      yield Buffer.from(stdin);
    })(),
  });
}

test("an invite is the word itself, or comes from standard input, a file, or the environment", async () => {
  expect(await from(LINK)).toBe(LINK);
  expect(await from("-", {}, `${LINK}\n`)).toBe(LINK);
  expect(await from(`@${join(folder, "invite")}`)).toBe(LINK);
  expect(await from(undefined, { STARFISH_JOIN: LINK })).toBe(LINK);
  expect(await from(undefined, { STARFISH_JOIN: "" })).toBeUndefined();
  expect(await from(undefined)).toBeUndefined();
});

test("what is on the line counts, and nothing that is started inherits the other", async () => {
  const env = { STARFISH_JOIN: "http://other/#x" };
  expect(await from(LINK, env)).toBe(LINK);
  expect(env).toEqual({});
});

test.each([
  ["nothing", "empty", /is empty/],
  ["too much", "large", /more than an invite/],
  ["a file that is not there", "none", /ENOENT/],
])("%s is a mistake in usage", async (_, name, message) => {
  await expect(from(`@${join(folder, name)}`)).rejects.toMatchObject({
    code: "usage",
    message: expect.stringMatching(message),
  });
});
