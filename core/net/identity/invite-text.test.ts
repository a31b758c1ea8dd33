/** Links as mail programs, messengers and people leave them. */
import { describe, expect, test } from "vitest";
import { peerIdOf } from "../../base/peer-id.ts";
import { realCrypto as crypto } from "../../platform/crypto.ts";
import { realRandom as random } from "../../platform/random.ts";
import { foundSwarm } from "./credentials.ts";
import { formatInvite, parseInvite } from "./invite.ts";
import { baseIn } from "./invite-text.ts";

const keys = crypto.keyPair(random.bytes(32));
const peer = peerIdOf(keys.publicKey);
const founded = foundSwarm(crypto, random, { peer, keys, device: peer }, 1_800_000_000_000);
const BASE = "http://192.168.178.20:4500/";
const fragment = formatInvite(crypto, { ...founded, addresses: ["/ip4/192.168.178.20/tcp/4500/ws"] });
const link = `${BASE}#${fragment}`;

/** In lines of so many characters. */
function broken(text: string, length: number, lineEnd: string): string {
  return text.match(new RegExp(`.{1,${length}}`, "g"))?.join(lineEnd) ?? "";
}

describe("a link is found in", () => {
  test.each([
    ["a sentence", `Open ${link}.`],
    ["a sentence with more of it", `Open ${link}, please. It is item #2 of v1.0`],
    ["angle brackets", `Here: <${link}>`],
    ["round brackets and a dot", `(see ${link}).`],
    ["quotes", `"${link}"`],
    ["Markdown", `[the swarm](${link})!`],
    ["an ellipsis and an exclamation mark", `${link}…!`],
    ["lines of 76 characters", `Hello,\r\n${broken(link, 76, "\r\n")}\r\n\r\nBest regards,\r\nAnna`],
    ["lines of 60 characters with blanks", broken(link, 60, " \n  ")],
    ["a reply", `Anna wrote:\n> ${broken(link, 70, "\n> ")}\n> Bye`],
    ["quoted-printable lines", broken(link, 75, "=\r\n")],
    ["percent-encoding", encodeURIComponent(link)],
    ["percent-encoding twice", encodeURIComponent(encodeURIComponent(link))],
    ["a fragment whose dot is encoded", link.replace("v2.", "v2%2E")],
    ["what a browser makes of a bracket behind it", `${link}%3E`],
    ["characters without width", link.replaceAll(/(.{20})/g, "$1\u200b")],
  ])("%s", (_, text) => {
    expect(parseInvite(crypto, text).delegation).toEqual(founded.delegation);
    expect(baseIn(text)).toBe(BASE);
  });

  test("a fragment alone, with what a sentence leaves behind it", () => {
    for (const tail of ["", ".", ").", "%29", ">", "\n", "  Bye"]) {
      expect(parseInvite(crypto, fragment + tail).secret).toEqual(founded.secret);
    }
  });
});

test("a text without a link has none, however it goes on", () => {
  for (const text of ["", "v2", "see #v2", `${BASE}#`, "v".repeat(30_000), "#v2.".repeat(9_000), "> ".repeat(9_000)]) {
    expect(() => parseInvite(crypto, text)).toThrow(/link|invite/);
  }
});
