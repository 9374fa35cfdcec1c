/**
 * What is made of a schema for people and editors: a Markdown reference, a commented sample file, a JSON Schema. All
 * three walk the schema's own JSON form, so that a key that is parsed is documented and nothing else is.
 */
import type { Schema } from './schema.ts';

type Json = Record<string, unknown>;

/** One key of a configuration. */
export interface DocumentedKey {
  /** `outbox.size`, `inputs.modbus[].host`, `tags.<name>`. */
  readonly path: string;
  readonly name: string;
  readonly doc: string;
  /** What it may be, in words. */
  readonly values: string;
  /** As it is written in a file; undefined where there is none. */
  readonly written: unknown;
  readonly example: unknown;
  readonly required: boolean;
  readonly children: readonly DocumentedKey[];
  /** Said before the children that belong to one variant of a union or to the structured form of a choice. */
  readonly variants: readonly { readonly title: string; readonly children: readonly DocumentedKey[] }[];
}

/** The keys of an object schema, as a tree, each exactly once. */
export function documentedKeys(schema: Schema<unknown>): readonly DocumentedKey[] {
  return childrenOf(schema.toJsonSchema(), '');
}

/** The tree as a list, parents first. */
export function flatKeys(keys: readonly DocumentedKey[]): readonly DocumentedKey[] {
  return keys.flatMap((key) => [
    key,
    ...flatKeys(key.children),
    ...key.variants.flatMap((one) => flatKeys(one.children)),
  ]);
}

function childrenOf(json: Json, prefix: string): DocumentedKey[] {
  const properties = json.properties as Record<string, Json> | undefined;
  if (properties !== undefined) {
    const required = new Set((json.required as string[] | undefined) ?? []);
    const shown = Object.entries(properties).filter(([, child]) => child.const === undefined);
    return shown.map(([name, child]) =>
      documentKey(child, name, prefix === '' ? name : `${prefix}.${name}`, required.has(name)),
    );
  }
  const items = json.items as Json | undefined;
  if (items !== undefined) return childrenOf(items, `${prefix}[]`);
  const entries = json.additionalProperties;
  if (typeof entries === 'object' && entries !== null) return childrenOf(entries as Json, `${prefix}.<name>`);
  // A choice: what is said twice in two forms is shown once.
  const choices = (json.anyOf as Json[] | undefined) ?? [];
  return choices.filter((choice) => choice['x-same'] !== true).flatMap((choice) => childrenOf(choice, prefix));
}

function documentKey(json: Json, name: string, path: string, required: boolean): DocumentedKey {
  // A list may be one of several kinds of mappings.
  const items = json.items as Json | undefined;
  const [kinds, prefix] = items?.oneOf === undefined ? [json.oneOf, path] : [items.oneOf, `${path}[]`];
  const variants = ((kinds as Json[] | undefined) ?? []).map((variant) => ({
    title: variantTitle(variant),
    children: childrenOf(variant, prefix),
  }));
  return {
    path,
    name,
    doc: String(json.description ?? ''),
    values: valuesOf(json),
    written: json.default,
    example: (json.examples as unknown[] | undefined)?.[0],
    required,
    children: childrenOf(json, path),
    variants,
  };
}

function variantTitle(variant: Json): string {
  const properties = variant.properties as Record<string, Json>;
  const [key, value] = Object.entries(properties).find(([, child]) => child.const !== undefined)!;
  return `${key}: ${String(value.const)}`;
}

/** Said of every structured key, and so not worth saying. */
const plainMapping = 'a mapping';

function valuesOf(json: Json): string {
  if (typeof json['x-values'] === 'string') return json['x-values'];
  const choices = (json.anyOf ?? json.oneOf) as Json[] | undefined;
  if (json.oneOf !== undefined) return choices!.map((variant) => `\`${variantTitle(variant)}\``).join(' or ');
  if (choices !== undefined) return choices.map(valuesOf).join('; or ');
  if (json.type === 'array') return itemsInWords(json.items as Json);
  return plainMapping;
}

function itemsInWords(items: Json): string {
  return items.type === 'object' ? 'a list of mappings' : `a list, each ${valuesOf(items)}`;
}

/** The JSON Schema for editors (draft 2020-12), without our own keywords, which strict validators refuse. */
export function jsonSchemaText(schema: Schema<unknown>, title: string): string {
  const json = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title,
    ...(withoutOwnKeywords(schema.toJsonSchema()) as Json),
  };
  return `${formatJson(json, '')}\n`;
}

/** As the project's formatter has it: lists of plain values on one line where they fit. */
function formatJson(value: unknown, indent: string): string {
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    const short = `[${value.map((entry) => JSON.stringify(entry)).join(', ')}]`;
    const plain = value.every((entry) => typeof entry !== 'object' || entry === null);
    if (plain && indent.length + short.length <= jsonLineWidth) return short;
    return `[\n${value.map((entry) => inner + formatJson(entry, inner)).join(',\n')}\n${indent}]`;
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).map(
    ([key, child]) => `${inner}${JSON.stringify(key)}: ${formatJson(child, inner)}`,
  );
  return entries.length === 0 ? '{}' : `{\n${entries.join(',\n')}\n${indent}}`;
}

/** Leaves room for a key before a list. */
const jsonLineWidth = 90;

function withoutOwnKeywords(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutOwnKeywords);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([key]) => !key.startsWith('x-'));
  return Object.fromEntries(kept.map(([key, child]) => [key, withoutOwnKeywords(child)]));
}

/** Structured keys down to this depth have a section of their own; what is deeper is in their section's table. */
const sectionDepth = 2;

/** The reference: a table of the plain keys, and a section for each structured one. */
export function markdownText(schema: Schema<unknown>, title: string, introduction: string): string {
  const lines = [`# ${title}`, '', introduction, ''];
  writeSection(lines, documentedKeys(schema), 1);
  return `${lines.join('\n').trimEnd()}\n`;
}

function writeSection(lines: string[], keys: readonly DocumentedKey[], depth: number): void {
  const structured = (key: DocumentedKey) =>
    depth <= sectionDepth && (key.children.length > 0 || key.variants.length > 0);
  writeTable(
    lines,
    keys.filter((key) => !structured(key)),
    '',
  );
  for (const key of keys.filter(structured)) {
    const is = key.values === plainMapping ? '' : ` It is ${key.values}.`;
    lines.push(`${'#'.repeat(depth + 1)} \`${key.path}\``, '', `${key.doc}${is}`, '');
    writeSection(lines, key.children, depth + 1);
    for (const variant of key.variants) {
      if (variant.children.length > 0) writeTable(lines, variant.children, `With \`${variant.title}\`:`);
    }
  }
}

function writeTable(lines: string[], keys: readonly DocumentedKey[], heading: string): void {
  if (keys.length === 0) return;
  if (heading !== '') lines.push(heading, '');
  const rows = [
    ['key', 'what it does', 'values', 'default'],
    ['', '', '', ''],
  ];
  for (const key of flatKeys(keys)) {
    const fallback = key.written === undefined ? (key.required ? 'required' : '–') : `\`${inline(key.written)}\``;
    rows.push([`\`${key.path}\``, cell(key.doc), cell(key.values), cell(fallback)]);
  }
  // Padded, so that the text can be read as it is too.
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  for (const [index, row] of rows.entries()) {
    const padded = row.map((content, column) => content.padEnd(widths[column]!, index === 1 ? '-' : ' '));
    lines.push(`| ${padded.join(' | ')} |`);
  }
  lines.push('');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replace(/\s+/g, ' ');
}

/** A value on one line of YAML. JSON is YAML, so that only plain words lose their quotes. */
export function inline(value: unknown): string {
  if (
    typeof value === 'string' &&
    /^[A-Za-z0-9/][A-Za-z0-9_./:-]*[A-Za-z0-9/]$|^[A-Za-z]$/.test(value) &&
    !isOtherWord(value)
  )
    return value;
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([key, child]) => `${inline(key)}: ${inline(child)}`);
    return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
  }
  return JSON.stringify(value);
}

/** What YAML would not read as a text. */
function isOtherWord(word: string): boolean {
  return (
    /^(?:true|false|null|yes|no|on|off|~)$/i.test(word) || Number.isFinite(Number(word)) || /^[0-9.:]+$/.test(word)
  );
}

/** Comments of the sample are broken here. */
const sampleWidth = 100;

/**
 * The sample file: every key with its doc, commented out at its default. Lines that begin with `##` explain, one `#`
 * taken off any other makes it a setting; all of them taken off give a file that parses.
 */
export function sampleText(schema: Schema<unknown>, introduction: string): string {
  const lines = wrap(introduction, '## ');
  for (const key of documentedKeys(schema)) {
    lines.push('');
    writeSample(lines, key, 0);
  }
  return `${lines.join('\n')}\n`;
}

function writeSample(lines: string[], key: DocumentedKey, depth: number, listStart = false): void {
  const indent = '  '.repeat(depth);
  lines.push(...wrap(explained(key), depth === 0 ? '## ' : `#${indent}# `));
  const lead = listStart ? `#${'  '.repeat(depth - 1)}- ` : `#${indent}`;
  const [variant] = key.variants;
  if (variant !== undefined) {
    writeVariants(lines, key, depth, lead);
    return;
  }
  const shown = key.written ?? key.example;
  if (key.children.length > 0 && key.written === undefined) {
    lines.push(`${lead}${key.name}:`);
    const isList = key.children.every((child) => child.path.startsWith(`${key.path}[]`));
    const named = key.children.every((child) => child.path.startsWith(`${key.path}.<name>`));
    if (named) lines.push(`#${indent}  example:`);
    for (const [index, child] of ordered(key.children).entries()) {
      writeSample(lines, child, depth + (isList || named ? 2 : 1), isList && index === 0);
    }
  } else if (shown === undefined) {
    lines.push(`#${indent}# ${key.name}: …`);
  } else {
    lines.push(`${lead}${key.name}: ${inline(shown)}`);
    // The other form of a choice, or the entries of a list that is empty by default.
    if (key.children.length > 0) lines.push(`#${indent}  # or`);
    for (const child of key.children) writeAlternative(lines, child, depth + 1);
  }
}

function writeVariants(lines: string[], key: DocumentedKey, depth: number, lead: string): void {
  const indent = '  '.repeat(depth);
  if (Array.isArray(key.written)) {
    lines.push(`${lead}${key.name}: ${inline(key.written)}`);
    for (const one of key.variants) {
      lines.push(`#${indent}  # or an entry`, `#${indent}  # - ${one.title}`);
      for (const child of one.children) writeAlternative(lines, child, depth + 2);
    }
    return;
  }
  const written = Object.entries((key.written ?? {}) as Json).map(([name, value]) => `${name}: ${String(value)}`)[0];
  const stands = key.variants.find((variant) => variant.title === written) ?? key.variants[0]!;
  lines.push(`${lead}${key.name}:`, `#${indent}  ${stands.title}`);
  for (const child of stands.children) writeSample(lines, child, depth + 1);
  for (const other of key.variants.filter((variant) => variant !== stands)) {
    lines.push(`#${indent}  # or`, `#${indent}  # ${other.title}`);
    for (const child of other.children) writeAlternative(lines, child, depth + 1);
  }
}

/** A key that is not part of the sample's own choice: it stays a comment when the `#` are taken off. */
function writeAlternative(lines: string[], key: DocumentedKey, depth: number): void {
  const indent = '  '.repeat(depth);
  lines.push(...wrap(explained(key), `#${indent}## `));
  lines.push(`#${indent}# ${key.name}: ${inline(key.written ?? key.example ?? '…')}`);
  for (const child of key.children) writeAlternative(lines, child, depth + 1);
}

/** A list's entry must begin with a key that is a setting, so those without a value come last. */
function ordered(keys: readonly DocumentedKey[]): readonly DocumentedKey[] {
  const hasValue = (key: DocumentedKey) => key.written !== undefined || key.example !== undefined;
  return [...keys.filter(hasValue), ...keys.filter((key) => !hasValue(key))];
}

function explained(key: DocumentedKey): string {
  return key.values === plainMapping ? key.doc : `${key.doc} (${key.values})`;
}

function wrap(text: string, lead: string): string[] {
  const lines: string[] = [];
  let line = lead;
  for (const word of text.split(/\s+/)) {
    if (line.length + word.length > sampleWidth && line !== lead) {
      lines.push(line.trimEnd());
      line = lead;
    }
    line += `${word} `;
  }
  lines.push(line.trimEnd());
  return lines;
}
