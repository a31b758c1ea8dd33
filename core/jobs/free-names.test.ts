import { describe, expect, test } from "vitest";
import { checkTravels } from "./free-names.ts";

async function refusal(source: string): Promise<string> {
  return checkTravels(source).then(
    () => "none",
    (error: unknown) => (error as Error).message,
  );
}

describe("what a function may bring along", () => {
  test.each([
    "(x) => x * 2",
    "async (x) => (await x).length",
    "function (x) { return arguments.length + this }",
    "function f(n) { return n < 2 ? n : f(n - 1) + f(n - 2) }",
    "function* f() { yield 1 }",
    "({ a: [b = 1, ...c], ...d }) => [b, c, d]",
    "(x, y = x) => Math.max(x, y)",
    "(x) => { var a = 1; { let b = a; const c = b; return c } }",
    "(x) => { if (x) { var late = 1 } return late }",
    "(x) => { return inner(x); function inner(y) { return y } }",
    "(x) => { { function inner(y) { return y } return inner(x) } }",
    "(x) => { for (const a of x) for (let i = 0; i < a; i++) if (i in x) return i }",
    "(x) => { for (var k in x); return k }",
    "(x) => { try { return x() } catch ({ message }) { return message } }",
    "(x) => { class A extends Map { static y = 1; #z = this; get w() { return super.size } } return new A() }",
    "(x) => { label: for (;;) { break label } return x.label }",
    "(x) => ({ y: 1, y2: x, x, [x]: 1, m() { return this }, get g() { return 1 } })",
    "(x) => { switch (x) { case 1: let a = 1; return a; default: return undefined } }",
    "(x) => `${x}` + /x/u.test(x) + typeof x + NaN + globalThis.JSON",
    "(x) => { const { a, b: { c } } = x; [x.y, x.z] = [a, c]; return x?.y ?? c }",
    "(x) => { const f = (y) => f(y - x); return f }",
  ])("%s", async (source) => {
    expect(await refusal(source)).toBe("none");
  });

  test.each([
    ["(x) => x * factor", "factor"],
    ["(x) => helper(x)", "helper"],
    ["(x, y = outer) => y", "outer"],
    ["({ [key]: a }) => a", "key"],
    ["(x) => { { let inner = 1 } return inner }", "inner"],
    ["(x) => { { const f = () => 1 } return f }", "f"],
    ["(x) => { try {} catch (e) {} return e }", "e"],
    ["(x) => ({ short })", "short"],
    ["(x) => { count++ }", "count"],
    ["(x) => typeof missing", "missing"],
    ["(x) => this.y", "this"],
    ["() => arguments", "arguments"],
    ["() => import('x')", "import()"],
    ["() => fetch('x')", "fetch"],
    ["() => process.env", "process"],
    ["() => setTimeout(() => 1)", "setTimeout"],
    ["(x) => class extends Base {}", "Base"],
    ["(x) => __vite_ssr_import_0__.f(x)", "__vite_ssr_import_0__"],
  ])("%s closes over %s", async (source, name) => {
    expect(await refusal(source)).toContain(`The function uses \`${name}\`, which is not its own`);
  });

  test.each([
    ["m(x) { return x }", "can't be sent"],
    ["get x() { return 1 }", "can't be sent"],
    ["class A {}", "needs a function expression"],
    ["1 + 1", "needs a function expression"],
    ["x => {", "can't be sent"],
    ["() => () => new.target", "'new.target' can only"],
    ["() => import.meta", "Cannot use 'import.meta'"],
  ])("%s is no function by itself", async (source, why) => {
    expect(await refusal(source)).toContain(why);
  });
});
