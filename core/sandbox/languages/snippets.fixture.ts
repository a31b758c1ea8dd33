/**
 * Scripts, their inputs, and their outputs, which are the same in every browser and in Node. They were recorded from
 * the engines of engines.ts and then checked by reading. Notes say where MicroPython differs from CPython.
 */
import type { ErrorCode } from "../../base/errors.ts";
import type { InputForm } from "../../ports/sandbox.ts";

export interface Snippet {
  readonly source: string;
  readonly input: string;
  readonly form?: InputForm;
  readonly reduce?: string;
  readonly gives: string | { readonly code: ErrorCode; readonly message: string };
}

export const JAVASCRIPT: readonly Snippet[] = [
  { source: "x => x.length", input: "one\ntwo\n\nthree", gives: "3\n3\n0\n5\n" },
  { source: "x => x.toUpperCase()", input: "straße\nÉté", gives: "STRASSE\nÉTÉ\n" },
  { source: "x => [...x].reverse().join('')", input: "añb😀", gives: "😀bña\n" },
  { source: "x => x.split(',').map(Number)", input: "1,2,3\n4,,x", gives: "[1,2,3]\n[4,0,null]\n" },
  { source: "x => Number(x) ** 0.5", input: "2\n-1\n0.1", gives: "1.4142135623730951\nnull\n0.31622776601683794\n" },
  { source: "x => { if (x > 2) return x; }", input: "1\n2\n3\n4", gives: "3\n4\n" },
  { source: "x => null", input: "a", gives: "null\n" },
  {
    source: "x => ({ text: x, codes: [...x].map((c) => c.codePointAt(0)) })",
    input: "aé😀",
    gives: '{"text":"aé😀","codes":[97,233,128512]}\n',
  },
  { source: "x => JSON.stringify(x)", input: 'a"b\\c', gives: '"a\\"b\\\\c"\n' },
  { source: "x => x.n * 2", input: '{"n":21}\n{"n":0.1}', form: "values", gives: "42\n0.2\n" },
  { source: "x => undefined", input: "1", form: "values", gives: "null\n" },
  { source: "([a, b]) => a + b", input: '[1,2]\n["a","b"]', form: "values", gives: '3\n"ab"\n' },
  {
    source: "x => x.match(/(?<y>\\d{4})-(?<m>\\d\\d)/)?.groups ?? 'none'",
    input: "on 2024-05-06\nnever",
    gives: '{"y":"2024","m":"05"}\nnone\n',
  },
  {
    source: "x => x.replace(/\\p{L}+/gu, (w) => w[0].toUpperCase() + w.slice(1))",
    input: "élan vital über",
    gives: "Élan Vital Über\n",
  },
  { source: "x => 0.1 + 0.2", input: "x", gives: "0.30000000000000004\n" },
  {
    source: "x => (1e21 + 1).toString() + ' ' + (123.456).toFixed(1) + ' ' + (255).toString(36)",
    input: "x",
    gives: "1e+21 123.5 73\n",
  },
  {
    source: "x => [Math.sin(1), Math.cos(1e10), Math.tan(2), Math.exp(3), Math.log(10), Math.pow(2, 0.5)]",
    input: "x",
    gives:
      "[0.8414709848078965,0.873119622676856,-2.185039863261519,20.085536923187668,2.302585092994046,1.4142135623730951]\n",
  },
  {
    source: "x => [Math.hypot(3, 4), Math.cbrt(2), Math.fround(5.5), Math.clz32(1), Math.imul(3, 5), Math.sign(-3)]",
    input: "x",
    gives: "[5,1.2599210498948732,5.5,31,15,-1]\n",
  },
  { source: "x => 2n ** 100n", input: "x", gives: '"1267650600228229401496703205376"\n' },
  {
    source: "x => BigInt(x) * BigInt(x)",
    input: "12345678901234567890",
    gives: '"152415787532388367501905199875019052100"\n',
  },
  { source: "x => [0 / 0, 1 / 0, -0, Number.MAX_SAFE_INTEGER]", input: "x", gives: "[null,null,0,9007199254740991]\n" },
  { source: "x => new Uint32Array(new Float64Array([NaN]).buffer)", input: "x", gives: '{"0":0,"1":2146959360}\n' },
  {
    source: "x => Array.from(new Uint32Array(new Float32Array([0 / 0, Math.sqrt(-1), Infinity - Infinity]).buffer))",
    input: "x",
    gives: "[2143289344,2143289344,2143289344]\n",
  },
  {
    source: "x => Math.random()",
    input: "a\nb\na",
    gives: "0.9833357921286844\n0.04936935532998454\n0.9833357921286844\n",
  },
  {
    source: "x => [Math.random(), Math.random()].map((n) => Math.floor(n * 1000))",
    input: "seed",
    gives: "[430,748]\n",
  },
  { source: "x => Date.now() < 1000 && new Date(0).toISOString()", input: "x", gives: "1970-01-01T00:00:00.000Z\n" },
  { source: "x => new Date(2024, 1, 29, 12).toString()", input: "x", gives: "Thu Feb 29 2024 12:00:00 GMT+0000\n" },
  {
    source: "x => new Date('2024-02-30T00:00:00Z').getTime() + ' ' + new Date(0).getTimezoneOffset()",
    input: "x",
    gives: "1709251200000 0\n",
  },
  {
    source: "x => { let n = 0; const t = Date.now(); while (Date.now() - t < 50) n++; return n }",
    input: "x",
    gives: "49\n",
  },
  {
    source: "async x => { const a = await Promise.all([1, 2, 3].map(async (n) => n * n)); return a }",
    input: "x",
    gives: "[1,4,9]\n",
  },
  { source: "function* f() { yield 1; yield 2 }", input: "x", gives: "{}\n" },
  { source: "x => { function* g() { yield* [3, 4]; } return [...g()] }", input: "x", gives: "[3,4]\n" },
  {
    source: "x => { globalThis.n = (globalThis.n ?? 0) + 1; return globalThis.n }",
    input: "a\nb\nc",
    gives: "1\n1\n1\n",
  },
  {
    source:
      "x => { Array.prototype.extra = 1; Object.prototype.leak = (Object.prototype.leak ?? 0) + 1; return ({}).leak }",
    input: "a\nb",
    gives: "1\n1\n",
  },
  { source: "export default (x) => twice(x);\nfunction twice(x) { return x + x }", input: "ab", gives: "abab\n" },
  {
    source: "const words = new Map([['a', 1]]);\nexport default (x) => words.get(x) ?? 0;",
    input: "a\nb",
    gives: "1\n0\n",
  },
  {
    source: "class A { #x = 1; get x() { return this.#x } static y = 2 }\nexport default () => new A().x + A.y",
    input: "x",
    gives: "3\n",
  },
  { source: "x => [3, 1, 2].toSorted().with(0, 9).at(-1)", input: "x", gives: "3\n" },
  { source: "x => [10, 9, 1].sort()", input: "x", gives: "[1,10,9]\n" },
  { source: "x => ['b', 'a', 'Z', 'é'].sort()", input: "x", gives: '["Z","a","b","é"]\n' },
  { source: "x => ['b', 'a', 'Z', 'é'].sort((p, q) => p.localeCompare(q))", input: "x", gives: '["Z","a","b","é"]\n' },
  { source: "x => (1234567.891).toLocaleString()", input: "x", gives: "1234567.891\n" },
  {
    source:
      "x => typeof Intl + typeof setTimeout + typeof fetch + typeof process + typeof require + typeof WebAssembly",
    input: "x",
    gives: "undefinedundefinedundefinedundefinedundefinedundefined\n",
  },
  {
    source: "x => Object.groupBy([1, 2, 3], (n) => (n % 2 ? 'odd' : 'even'))",
    input: "x",
    gives: '{"odd":[1,3],"even":[2]}\n',
  },
  {
    source: "x => new Intl.NumberFormat('de').format(x)",
    input: "1",
    gives: { code: "task-failed", message: "ReferenceError: Intl is not defined\n    at <anonymous> (task.js:1:11)" },
  },
  { source: "x => { const s = new Set([1, 2]); return [...s.union(new Set([3]))] }", input: "x", gives: "[1,2,3]\n" },
  { source: "x => x.normalize('NFD').length", input: "é", gives: "2\n" },
  { source: "x => atob(btoa(x))", input: "hello", gives: "hello\n" },
  { source: "x => encodeURIComponent(x) + decodeURIComponent('%C3%A9')", input: "a b&é", gives: "a%20b%26%C3%A9é\n" },
  {
    source:
      "x => { label: for (const a of [1, 2]) for (const b of [1, 2]) { if (b === 2) continue label; if (a === 2) break label; } return 'done' }",
    input: "x",
    gives: "done\n",
  },
  { source: "x => x.length", input: "aa\nb\ncccc", reduce: "(a, b) => a + b", gives: "7\n" },
  { source: "x => x", input: "b\na\nc", reduce: "(a, b) => a + b", gives: '"bac"\n' },
  { source: "x => [x]", input: "b\na\nc", reduce: "(a, b) => [...a, ...b]", gives: '["b","a","c"]\n' },
  { source: "x => x.split('\\n').length", input: "a\nb\nc", form: "text", gives: "3" },
  // A task of a graph that returns tasks (core/jobs/returned.ts).
  {
    source: "x => ({ tasks: [{ input: x, grows: true }, { needs: [0] }] })",
    input: "4",
    form: "text",
    gives: '{"tasks":[{"input":"4","grows":true},{"needs":[0]}]}',
  },
  {
    source: "x => { throw new RangeError('too ' + x) }",
    input: "far",
    gives: { code: "task-failed", message: "RangeError: too far\n    at <anonymous> (task.js:1:39)" },
  },
  {
    source: "x => missing + 1",
    input: "x",
    gives: { code: "task-failed", message: "ReferenceError: missing is not defined\n    at <anonymous> (task.js:1:7)" },
  },
  { source: "x => { throw 'text' }", input: "x", gives: { code: "task-failed", message: "thrown: text" } },
  {
    source: "x => ({}).a.b",
    input: "x",
    gives: {
      code: "task-failed",
      message: "TypeError: cannot read property 'b' of undefined\n    at <anonymous> (task.js:1:1)",
    },
  },
  {
    source: "x => +",
    input: "x",
    gives: { code: "task-failed", message: "SyntaxError: unexpected token in expression: ')'\n    at task.js:2:1" },
  },
  {
    source: "42",
    input: "x",
    gives: { code: "task-failed", message: "TypeError: the script is no function but number" },
  },
  {
    source: "export const a = 1;",
    input: "x",
    gives: { code: "task-failed", message: "TypeError: the module has no default export: write export default x => …" },
  },
  {
    source: "x => x.n",
    input: "not json",
    form: "values",
    gives: {
      code: "task-failed",
      message: "SyntaxError: unexpected token: 'not'\n    at <input>:1:1\n    at parse (native)",
    },
  },
  { source: "x => (() => {}).name + Symbol('s').toString()", input: "x", gives: "Symbol(s)\n" },
  {
    source: "x => Symbol('s')",
    input: "x",
    gives: { code: "task-failed", message: "TypeError: what the function gave can't be written as JSON: symbol" },
  },
  {
    source: "x => new Promise(() => {})",
    input: "x",
    gives: { code: "task-failed", message: "The function gave a promise that nothing settles" },
  },
  {
    source: "import('x')",
    input: "x",
    gives: { code: "task-failed", message: "TypeError: the script is no function but object" },
  },
];

export const PYTHON: readonly Snippet[] = [
  { source: "lambda x: len(x)", input: "one\ntwo\n\nthree", gives: "3\n3\n0\n5\n" },
  { source: "lambda x: x.upper()", input: "hello\nworld", gives: "HELLO\nWORLD\n" },
  {
    source: "lambda x: x[::-1]",
    input: "abc\nxyz",
    gives: {
      code: "task-failed",
      message:
        'Input 1 of 2: NotImplementedError: only slices with step=1 (aka None) are supported\n  File "<string>", line 1, in <lambda>',
    },
  },
  { source: "lambda x: [int(n) for n in x.split(',')]", input: "1,2,3", gives: "[1, 2, 3]\n" },
  { source: "lambda x: float(x) ** 0.5", input: "2\n0.25", gives: "1.4142135623730951\n0.5\n" },
  { source: "def task(x):\n    if int(x) > 2: return x", input: "1\n2\n3\n4", gives: "3\n4\n" },
  { source: "lambda x: None", input: "a", gives: "" },
  {
    source: "lambda x: {'text': x, 'codes': [ord(c) for c in x]}",
    input: "aé",
    gives: '{"text": "aé", "codes": [97, 233]}\n',
  },
  {
    source: "import json\ndef task(x): return json.dumps({'a': [1, 2.5, None, True]})",
    input: "x",
    gives: '{"a": [1, 2.5, null, true]}\n',
  },
  { source: "lambda x: x['n'] * 2", input: '{"n":21}\n{"n":0.1}', form: "values", gives: "42\n0.2\n" },
  { source: "lambda x: None", input: "1", form: "values", gives: "null\n" },
  { source: "lambda x: x[0] + x[1]", input: '[1,2]\n["a","b"]', form: "values", gives: '3\n"ab"\n' },
  {
    source:
      "import re\ndef task(x):\n    m = re.search('([0-9]+)-([0-9]+)', x)\n    return [m.group(1), m.group(2)] if m else 'none'",
    input: "on 2024-05\nnever",
    gives: '["2024", "05"]\nnone\n',
  },
  { source: "lambda x: 0.1 + 0.2", input: "x", gives: "0.30000000000000004\n" },
  { source: "lambda x: [1e21 + 1, 1 / 3, 2.0, 1e-7]", input: "x", gives: "[1e+21, 0.3333333333333333, 2.0, 1e-07]\n" },
  {
    source: "import math\ndef task(x): return [math.sin(1), math.cos(1e10), math.exp(3), math.log(10), math.pi]",
    input: "x",
    gives: "[0.8414709848078965, 0.8731196226768561, 20.085536923187668, 2.302585092994046, 3.141592653589793]\n",
  },
  { source: "lambda x: 2 ** 100", input: "x", gives: "1267650600228229401496703205376\n" },
  {
    source: "lambda x: int(x) * int(x)",
    input: "12345678901234567890",
    gives: "152415787532388367501905199875019052100\n",
  },
  {
    source: "lambda x: [7 // 2, -7 // 2, -7 % 3, 7 % -3, divmod(17, 5)]",
    input: "x",
    gives: "[3, -4, 2, -2, [3, 2]]\n",
  },
  {
    source: "lambda x: [round(2.5), round(3.5), round(2.567, 2), abs(-3), int(3.9)]",
    input: "x",
    gives: "[2, 4, 2.57, 3, 3]\n",
  },
  {
    source: "import random\ndef task(x): return [random.randint(1, 100) for _ in range(5)]",
    input: "a\nb\na",
    gives: "[28, 45, 45, 24, 23]\n[66, 89, 1, 40, 66]\n[28, 45, 45, 24, 23]\n",
  },
  {
    source: "def task(x):\n    import random\n    return random.random()",
    input: "seed",
    gives: "0.7514690787458724\n",
  },
  { source: "import time\ndef task(x): return time.time() < 1", input: "x", gives: "true\n" },
  {
    source:
      "import time\ndef task(x):\n    a = time.ticks_ms()\n    time.sleep(3)\n    return time.ticks_ms() - a >= 3000",
    input: "x",
    gives: "true\n",
  },
  {
    source: "import time\ndef task(x): return list(time.gmtime(86400))[:6]",
    input: "x",
    gives: "[1970, 1, 2, 0, 0, 0]\n",
  },
  {
    source: "def task(x):\n    def g():\n        yield 1\n        yield 2\n    return list(g())",
    input: "x",
    gives: "[1, 2]\n",
  },
  { source: "n = [0]\ndef task(x):\n    n[0] += 1\n    return n[0]", input: "a\nb\nc", gives: "1\n1\n1\n" },
  {
    source:
      "import sys\ndef task(x):\n    sys.modules['seen'] = sys.modules.get('seen', 0) + 1\n    return sys.modules['seen']",
    input: "a\nb",
    gives: "1\n1\n",
  },
  { source: "def twice(x): return x + x\ndef task(x): return twice(x)", input: "ab", gives: "abab\n" },
  {
    source:
      "class A:\n    def __init__(self, x): self.x = x\n    def __add__(self, o): return A(self.x + o.x)\ndef task(x): return (A(x) + A('!')).x",
    input: "hi",
    gives: "hi!\n",
  },
  { source: "lambda x: sorted(['b', 'a', 'Z'])", input: "x", gives: '["Z", "a", "b"]\n' },
  { source: "lambda x: sorted(x.split(), key=len, reverse=True)", input: "a ccc bb", gives: '["ccc", "bb", "a"]\n' },
  { source: "lambda x: f'{int(x):05d} {3.14159:.2f} {255:x} {x!r}'", input: "42", gives: "00042 3.14 ff '42'\n" },
  { source: "lambda x: '%s-%d-%.1f' % (x, 5, 2.25)", input: "v", gives: "v-5-2.3\n" },
  { source: "lambda x: {k: v for k, v in zip('abc', range(3))}['b']", input: "x", gives: "1\n" },
  {
    source: "lambda x: list(map(lambda y: y * y, filter(lambda y: y % 2, range(6))))",
    input: "x",
    gives: "[1, 9, 25]\n",
  },
  { source: "lambda x: sum(range(1000))", input: "x", gives: "499500\n" },
  {
    source:
      "from collections import OrderedDict, namedtuple, deque\ndef task(x):\n    P = namedtuple('P', ('a', 'b'))\n    return [P(1, 2).b, list(OrderedDict([('z', 1), ('a', 2)]).keys()), list(deque((1, 2), 3))]",
    input: "x",
    gives: '[2, ["z", "a"], [1, 2]]\n',
  },
  {
    source: "import struct, binascii\ndef task(x): return binascii.hexlify(struct.pack('<If', 1, 0.5)).decode()",
    input: "x",
    gives: "010000000000003f\n",
  },
  {
    source:
      "import hashlib, binascii\ndef task(x): return binascii.hexlify(hashlib.sha256(x.encode()).digest()).decode()",
    input: "abc",
    gives: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n",
  },
  { source: "lambda x: x.encode().decode() + str(b'\\x00a')", input: "é", gives: "éb'\\x00a'\n" },
  {
    source: "import sys\ndef task(x): return sys.implementation.name + ' ' + sys.byteorder",
    input: "x",
    gives: "micropython little\n",
  },
  {
    source:
      "def task(x):\n    try:\n        return 1 / 0\n    except ZeroDivisionError as e:\n        return 'caught ' + str(e)",
    input: "x",
    gives: "caught divide by zero\n",
  },
  { source: "lambda x: len(x)", input: "aa\nb\ncccc", reduce: "lambda a, b: a + b", gives: "7\n" },
  { source: "lambda x: x", input: "b\na\nc", reduce: "lambda a, b: a + b", gives: '"bac"\n' },
  { source: "lambda x: [x]", input: "b\na\nc", reduce: "def reduce(a, b): return a + b", gives: '["b", "a", "c"]\n' },
  { source: "lambda x: len(x.split('\\n'))", input: "a\nb\nc", form: "text", gives: "3" },
  {
    source: "lambda x: {'tasks': [{'input': x}, {'needs': [0]}]}",
    input: "4",
    form: "text",
    gives: '{"tasks": [{"input": "4"}, {"needs": [0]}]}',
  },
  {
    source: "def task(x): raise ValueError('too ' + x)",
    input: "far",
    gives: { code: "task-failed", message: 'ValueError: too far\n  File "<string>", line 1, in task' },
  },
  {
    source: "lambda x: missing + 1",
    input: "x",
    gives: {
      code: "task-failed",
      message: "NameError: name 'missing' isn't defined\n  File \"<string>\", line 1, in <lambda>",
    },
  },
  {
    source: "lambda x: x.nothing",
    input: "x",
    gives: {
      code: "task-failed",
      message: "AttributeError: 'str' object has no attribute 'nothing'\n  File \"<string>\", line 1, in <lambda>",
    },
  },
  {
    source: "lambda x: (",
    input: "x",
    gives: { code: "task-failed", message: 'SyntaxError: invalid syntax\n  File "<string>", line 2' },
  },
  {
    source: "42",
    input: "x",
    gives: { code: "task-failed", message: "TypeError: the script is no function but <class 'int'>" },
  },
  {
    source: "a = 1",
    input: "x",
    gives: { code: "task-failed", message: "TypeError: the script defines no function task" },
  },
  {
    source: "lambda x: x",
    input: "not json",
    form: "values",
    gives: { code: "task-failed", message: "ValueError: syntax error in JSON" },
  },
  {
    source: "import os\ndef task(x): return os.listdir('/')",
    input: "x",
    gives: { code: "task-failed", message: 'OSError: 44\n  File "<string>", line 2, in task' },
  },
  {
    source: "lambda x: open('/etc/passwd').read()",
    input: "x",
    gives: { code: "task-failed", message: 'OSError: 44\n  File "<string>", line 1, in <lambda>' },
  },
  {
    source: "lambda x: input()",
    input: "x",
    gives: {
      code: "task-failed",
      message:
        'OSError: a script has no standard input: what it works on is its argument\n  File "<stdin>", line 5, in _no_input\n  File "<string>", line 1, in <lambda>',
    },
  },
  {
    source: "import js\ndef task(x): return js.fetch",
    input: "x",
    gives: {
      code: "task-failed",
      message: "AttributeError: type object '_Nothing' has no attribute 'fetch'\n  File \"<string>\", line 2, in task",
    },
  },
  {
    source: "import uctypes\ndef task(x): return uctypes.bytearray_at(0, 4)",
    input: "x",
    gives: {
      code: "task-failed",
      message:
        "AttributeError: type object '_Nothing' has no attribute 'bytearray_at'\n  File \"<string>\", line 2, in task",
    },
  },
  {
    source: "def task(x): raise SystemExit(3)",
    input: "x",
    gives: { code: "task-failed", message: 'SystemExit: 3\n  File "<string>", line 1, in task' },
  },
  { source: "lambda x: sorted({x, 'b', 'a'})", input: "x", gives: '["a", "b", "x"]\n' },
];
