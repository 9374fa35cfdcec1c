import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { agentConfigSchema } from '../../agent/config.ts';
import { inputKinds } from '../../agent/inputs/registry.ts';
import { centralConfigSchema } from '../../central/config.ts';
import { documentedKeys, flatKeys } from '../../shared/config/document.ts';
import type { Schema } from '../../shared/config/schema.ts';
import { formatProblems, parseYaml } from '../../shared/config/yaml.ts';
import { generateConfigDocs } from './config.ts';

const schemas: readonly [string, Schema<unknown>][] = [
  ['agent', agentConfigSchema(inputKinds)],
  ['central', centralConfigSchema],
];
const files = await generateConfigDocs();

/** Whether it is the row or the heading of this key. */
const isOf = (line: string, path: string): boolean => line.replace(/^(\||#+) /, '').startsWith(`\`${path}\``);

test('both programs have a reference, a sample and a JSON Schema', () => {
  expect([...files.keys()].sort()).toEqual([
    // What a central judges the configurations of such agents by.
    'central/configuration/schemas/0.1.json',
    'docs/agent-config.md',
    'docs/agent.sample.yaml',
    'docs/agent.schema.json',
    'docs/central-config.md',
    'docs/central.sample.yaml',
    'docs/central.schema.json',
  ]);
});

test.each(schemas)('the reference of the %s lists every key once in its table', (name, schema) => {
  const page = files.get(`docs/${name}-config.md`)!;
  const keys = flatKeys(documentedKeys(schema));
  expect(keys.length).toBeGreaterThan(10);
  const places = (path: string): number => page.split('\n').filter((line) => isOf(line, path)).length;
  // A list of several kinds has a table for each of them, and they share some keys.
  const tables = Map.groupBy(keys, ({ path }) => path);
  for (const [path, same] of tables) expect(places(path), path).toBe(same.length);
});

test.each(schemas)(
  'the sample of the %s is right with every comment sign taken off, and says nothing with them',
  (name, schema) => {
    const sample = files.get(`docs/${name}.sample.yaml`)!;
    expect(parse(sample)).toBeNull();
    const settings = sample.replace(/^#(?!#)/gm, '');
    const result = parseYaml(settings, schema);
    expect(result.ok ? '' : formatProblems(name, result.problems)).toBe('');
    for (const { doc } of flatKeys(documentedKeys(schema))) expect(sample.replace(/\n[# ]+/g, ' '), doc).toContain(doc);
  },
);

test.each(schemas)('the JSON Schema of the %s has every key that the parser knows', (name) => {
  const json = JSON.parse(files.get(`docs/${name}.schema.json`)!) as { properties: object };
  expect(Object.keys(json.properties)).toEqual(documentedKeys(new Map(schemas).get(name)!).map((key) => key.name));
});
