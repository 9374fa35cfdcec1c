/**
 * A YAML text and a schema make a value, or the list of all that is wrong with line and column. The text comes from
 * outside: size, depth and aliases are bounded before the text is composed into values.
 */
import { Composer, type CST, type Document, isAlias, isMap, isNode, isScalar, isSeq, LineCounter, Parser } from 'yaml';
import { PicketError } from '../errors.ts';
import { limits } from '../limits.ts';
import { showValue } from './scalars.ts';
import { formatPath, maxProblems, type Path, type Problem, parseValue, type Schema } from './schema.ts';

/** How often anchors may be used, counted through nesting; a handful of devices that share settings need few. */
const maxAliasCount = 64;
const manyAliases = `aliases (\`*name\`) are used more than ${maxAliasCount} times: write the values out.`;

/**
 * No tags but those of plain values, and no key check of the library's (see `firstForbidden`).
 * Strings stay strings: YAML 1.2's core schema knows `true`, not `yes`.
 */
const composing = { prettyErrors: false, uniqueKeys: false, schema: 'core', resolveKnownTags: false } as const;

/** A problem with its place in the text; line and column count from 1. */
export interface LocatedProblem extends Problem {
  readonly line: number;
  readonly column: number;
}

export type YamlResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly LocatedProblem[] };

/** Parses a YAML text with a schema. An empty text is an empty mapping. */
export function parseYaml<T>(source: string, schema: Schema<T>): YamlResult<T> {
  const lines = new LineCounter();
  const failed = (message: string, offset: number): YamlResult<T> => ({
    ok: false,
    problems: [{ path: [], code: 'config.invalid', message, ...position(lines, offset) }],
  });
  // A character is a byte at least: no need to encode what is too large in any encoding.
  if (source.length > limits.configBytes || new TextEncoder().encode(source).length > limits.configBytes) {
    return failed(`the file is larger than ${limits.configBytes} bytes: split off what does not belong in it.`, 0);
  }
  const tokens = [...new Parser(lines.addNewLine).parse(source)];
  const tooDeep = firstTooDeep(tokens, limits.nestingDepth);
  if (tooDeep !== null)
    return failed(`is nested deeper than ${limits.nestingDepth} levels: nothing here needs that.`, tooDeep);
  const documents = [...new Composer(composing).compose(tokens, true, source.length)];
  const [document, second] = documents;
  if (document === undefined) return failed('the file could not be read as YAML.', 0);
  if (second !== undefined)
    return failed('there is a second document (`---`): a configuration is one.', second.range[0]);
  // A warning is a tag that is not known (`!something`): a value would be taken for another than was meant.
  if (document.errors.length + document.warnings.length > 0) {
    return { ok: false, problems: syntaxProblems(document, lines) };
  }
  const forbidden = firstForbidden(document);
  if (forbidden !== null) return failed(forbidden.message, forbidden.offset);
  let input: unknown;
  try {
    input = document.toJS({ maxAliasCount });
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    return failed(manyAliases, 0);
  }
  const result = parseValue(schema, input);
  if (result.ok) return result;
  const located = result.problems.map((problem) => ({ ...problem, ...position(lines, offsetOf(document, problem)) }));
  located.sort((a, b) => a.line - b.line || a.column - b.column);
  return { ok: false, problems: located };
}

/** Parses, or throws `config.invalid` with one problem a line; `name` is the file as the operator knows it. */
export function parseYamlOrThrow<T>(source: string, schema: Schema<T>, name: string): T {
  const result = parseYaml(source, schema);
  if (result.ok) return result.value;
  const first = result.problems[0]!;
  throw new PicketError('config.invalid', formatProblems(name, result.problems), {
    line: first.line,
    column: first.column,
  });
}

/** `file:line:column: key: what is wrong`, a line for each. */
export function formatProblems(name: string, problems: readonly LocatedProblem[]): string {
  return problems
    .map(({ line, column, path, message }) => {
      const where = path.length === 0 ? '' : `${formatPath(path)}: `;
      return `${name}:${line}:${column}: ${where}${message}`;
    })
    .join('\n');
}

function position(lines: LineCounter, offset: number): { line: number; column: number } {
  const { line, col } = lines.linePos(offset);
  // An empty text has no lines yet.
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

function syntaxProblems(document: Document.Parsed, lines: LineCounter): LocatedProblem[] {
  return [...document.errors, ...document.warnings].slice(0, maxProblems).map((error) => {
    const hint = error.code === 'TAB_AS_INDENT' ? ' Use spaces.' : '';
    const message = `not valid YAML: ${error.message.replace(/\s+/g, ' ').trim()}.${hint}`.replace('..', '.');
    return { path: [], code: 'config.invalid', message, ...position(lines, error.pos[0]) };
  });
}

/** Offset of the first mapping or list inside of `depth` others, or null. Iterative: 250,000 brackets are a text. */
function firstTooDeep(tokens: readonly CST.Token[], depth: number): number | null {
  const isStructure = (token: CST.Token | null | undefined) => token != null && 'items' in token;
  let level = tokens
    .flatMap((token) => (token.type === 'document' && token.value ? [token.value] : []))
    .filter(isStructure);
  for (let around = 0; level.length > 0; around++) {
    if (around >= depth) return level[0]!.offset;
    level = level
      .flatMap((token) =>
        'items' in token ? token.items.flatMap(({ key, value }) => [key, value].filter((child) => child != null)) : [],
      )
      .filter(isStructure);
  }
  return null;
}

/**
 * What YAML allows and a configuration does not: keys that are no plain texts (they would become texts by JavaScript's
 * rules and surprise), a key twice (found here in linear time; the library's own check is quadratic), aliases without
 * their anchor, or more of them than anyone writes.
 */
function firstForbidden(document: Document.Parsed): { offset: number; message: string } | null {
  const open: unknown[] = [document.contents];
  let aliases = 0;
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (isSeq(node)) open.push(...node.items.filter((item) => item !== null).reverse());
    if (isAlias(node)) {
      const offset = node.range?.[0] ?? 0;
      if (++aliases > maxAliasCount) return { offset, message: manyAliases };
      if (node.resolve(document) === undefined) {
        return { offset, message: `\`*${node.source}\` refers to nothing: no \`&${node.source}\` stands above it.` };
      }
    }
    if (!isMap(node)) continue;
    const seen = new Set<string>();
    for (const { key } of node.items) {
      const offset = startOf(key) ?? node.range?.[0] ?? 0;
      if (!isScalar(key) || key.value === null || typeof key.value === 'object') {
        return { offset, message: 'a key must be a plain text: write `key: value`.' };
      }
      const name = String(key.value);
      if (seen.has(name)) return { offset, message: `${showValue(name)} is there already: keep one of the two.` };
      seen.add(name);
    }
    open.push(...node.items.flatMap(({ value }) => (value === null ? [] : [value])).reverse());
  }
  return null;
}

/** Where in the text a problem is: the key or value at its path, or the nearest thing above that is there. */
function offsetOf(document: Document.Parsed, problem: Problem): number {
  let offset = document.contents?.range?.[0] ?? 0;
  let node: unknown = document.contents;
  for (const [index, part] of problem.path.entries()) {
    if (isAlias(node)) node = node.resolve(document);
    const step = child(node, part);
    if (step === null) break;
    const wantsKey = problem.atKey === true && index === problem.path.length - 1;
    offset = (wantsKey ? step.key : (startOf(step.value) ?? step.key)) ?? offset;
    node = step.value;
  }
  return offset;
}

function child(node: unknown, part: Path[number]): { key: number | undefined; value: unknown } | null {
  if (isMap(node)) {
    const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(part));
    return pair === undefined ? null : { key: startOf(pair.key), value: pair.value };
  }
  if (isSeq(node) && typeof part === 'number' && part < node.items.length) {
    return { key: startOf(node.items[part]), value: node.items[part] };
  }
  return null;
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}
