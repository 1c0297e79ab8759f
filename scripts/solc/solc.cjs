#!/usr/bin/env node
/*
 * The `solc` command line, in front of npm's `solc` package.
 *
 * npm's compiler is the same bytes on every platform, so the bytecode is reproducible and comes from
 * the lock, but its own command is not what py-solc-x, forge and ape call. This file speaks the part
 * of the native command line that they use, and nothing else: anything unknown is an error.
 */
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const solc = require("solc");

const USAGE = `Usage: solc [options] [prefix=path...] [file...]
  --version                 print the version
  --standard-json [file]    read standard JSON from the file or standard input
  --combined-json LIST      print the named outputs of the files as JSON
  --base-path DIR           where source names that are not absolute begin
  --include-path DIR        a further place to look for imports (repeatable)
  --allow-paths LIST        directories that may be read, besides the ones above
  --optimize, --optimize-runs N, --via-ir, --evm-version NAME
`;

function fail(message) {
  process.stderr.write(`Error: ${message}\n`);
  process.exit(1);
}

/** Options with a value; every alias of the native command that a caller of ours uses. */
const VALUED = new Set([
  "--base-path", "--include-path", "--allow-paths", "--combined-json", "--evm-version", "--optimize-runs",
]);
const FLAGS = new Set(["--standard-json", "--optimize", "--via-ir", "--version", "--help"]);

function parse(argv) {
  const options = { includePaths: [], remappings: [], files: [] };
  for (let index = 0; index < argv.length; index += 1) {
    const [name, inline] = argv[index].startsWith("--") ? argv[index].split(/=(.*)/s, 2) : [argv[index]];
    if (VALUED.has(name)) {
      const value = inline ?? argv[(index += 1)];
      if (value === undefined) fail(`${name} needs a value`);
      if (name === "--include-path") options.includePaths.push(value);
      else options[name] = value;
    } else if (FLAGS.has(name)) options[name] = true;
    else if (name === "-") options.files.push("-");
    else if (name.startsWith("-")) fail(`unknown option ${name}`);
    else if (name.includes("=")) options.remappings.push(name);
    else options.files.push(name);
  }
  return options;
}

/** Finds imports like the native compiler: below the base and include paths, never outside what is allowed. */
function reader(options) {
  const base = path.resolve(options["--base-path"] || ".");
  const roots = [base, ...options.includePaths.map((folder) => path.resolve(folder))];
  const listed = (options["--allow-paths"] || "").split(",").filter(Boolean);
  const allowed = [...roots, ...listed.map((folder) => path.resolve(folder))].map(real);
  return (sourceName) => {
    const name = sourceName.replace(/^file:\/\//, "");
    const candidates = path.isAbsolute(name) ? [name] : roots.map((root) => path.join(root, name));
    const found = candidates.find((candidate) => fs.existsSync(candidate));
    if (!found) return { error: `File not found. Searched: ${candidates.join(", ")}` };
    const target = fs.realpathSync(found);
    const inside = (root) => target === root || target.startsWith(root.endsWith("/") ? root : `${root}/`);
    if (!allowed.some(inside)) return { error: `File outside of allowed directories: ${target}` };
    return { contents: fs.readFileSync(target, "utf8") };
  };
}

function real(folder) {
  return fs.existsSync(folder) ? fs.realpathSync(folder) : folder;
}

function compile(input, options) {
  return JSON.parse(solc.compile(JSON.stringify(input), { import: reader(options) }));
}

/** Writes whole: a pipe takes large output in parts, and process.exit would drop the rest. */
function print(text) {
  let buffer = Buffer.from(text);
  while (buffer.length > 0) {
    try {
      buffer = buffer.subarray(fs.writeSync(1, buffer));
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
    }
  }
}

const COMBINED = { abi: "abi", bin: "evm.bytecode.object", "bin-runtime": "evm.deployedBytecode.object", metadata: "metadata" };

function combined(options) {
  const wanted = options["--combined-json"].split(",");
  const unknown = wanted.find((output) => !(output in COMBINED));
  if (unknown !== undefined) fail(`unknown output ${unknown} (known: ${Object.keys(COMBINED).join(", ")})`);
  const sources = Object.fromEntries(
    options.files.map((file) => [file === "-" ? "<stdin>" : file, { content: fs.readFileSync(file === "-" ? 0 : file, "utf8") }]),
  );
  const settings = {
    remappings: options.remappings,
    optimizer: { enabled: Boolean(options["--optimize"]), runs: Number(options["--optimize-runs"] || 200) },
    viaIR: Boolean(options["--via-ir"]),
    outputSelection: { "*": { "*": wanted.map((output) => COMBINED[output]) } },
  };
  if (options["--evm-version"]) settings.evmVersion = options["--evm-version"];
  const output = compile({ language: "Solidity", sources, settings }, options);
  for (const { formattedMessage } of output.errors || []) process.stderr.write(`${formattedMessage}\n`);
  if ((output.errors || []).some(({ severity }) => severity === "error")) process.exit(1);
  const pick = (contract, dotted) => dotted.split(".").reduce((value, key) => value[key], contract);
  const contracts = Object.entries(output.contracts || {}).flatMap(([file, named]) =>
    Object.entries(named).map(([name, contract]) => [
      `${file}:${name}`,
      Object.fromEntries(wanted.map((key) => [key, pick(contract, COMBINED[key])])),
    ]),
  );
  return JSON.stringify({ contracts: Object.fromEntries(contracts), version: solc.version() });
}

const options = parse(process.argv.slice(2));
if (options["--help"]) print(USAGE);
else if (options["--version"]) print(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}\n`);
else if (options["--standard-json"]) {
  const file = options.files[0];
  const input = JSON.parse(fs.readFileSync(file === undefined || file === "-" ? 0 : file, "utf8"));
  print(JSON.stringify(compile(input, options)));
} else if (options["--combined-json"]) print(combined(options) + "\n");
else fail("nothing to do: give --standard-json, --combined-json or --version");
