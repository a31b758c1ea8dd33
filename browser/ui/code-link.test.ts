import { expect, test } from "vitest";
import { codeLinkIn } from "./code-link.ts";

test("a code is told from an invite, typed or in a link", () => {
  const here = "#code=7-brisk-otter-meadow";
  for (const typed of ["7-brisk-otter-meadow", " 7 brisk  otter meadow\n", "code=7-brisk-otter-meadow", here]) {
    expect(codeLinkIn(typed)?.toLowerCase(), typed).toBe(here);
  }
  const link = "https://10.0.0.7:4500/#code=7-brisk-otter-meadow";
  for (const pasted of [link, `Here it is: <${link}>.`]) expect(codeLinkIn(pasted)).toBe(link);
  for (const invite of ["http://127.0.0.1:4500/#v1.abc-def", "v1.abc", "otter", "", "12345", "7"]) {
    expect(codeLinkIn(invite), invite).toBeUndefined();
  }
});
