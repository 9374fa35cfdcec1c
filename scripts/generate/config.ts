/**
 * Generates the reference, the sample and the JSON Schema of both configurations from their schemas; `npm run check`
 * generates them again and compares.
 *
 * `node scripts/generate/config.ts` writes them.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { agentConfigSchema } from '../../agent/config.ts';
import { inputKinds } from '../../agent/inputs/registry.ts';
import { centralConfigSchema } from '../../central/config.ts';
import { jsonSchemaText, markdownText, sampleText } from '../../shared/config/document.ts';
import type { Schema } from '../../shared/config/schema.ts';
import { version } from '../../shared/version.ts';

const root = join(import.meta.dirname, '..', '..');

interface Program {
  readonly name: 'agent' | 'central';
  readonly schema: Schema<unknown>;
  readonly title: string;
  readonly introduction: string;
}

const programs: readonly Program[] = [
  {
    name: 'agent',
    schema: agentConfigSchema(inputKinds),
    title: 'Configuration of the agent',
    introduction: '`picket-agent` needs no configuration file: every key has a default.',
  },
  {
    name: 'central',
    schema: centralConfigSchema,
    title: 'Configuration of the central',
    introduction: '`picket-central` needs no configuration file: every key has a default.',
  },
];

/** The generated files: path from the repository's root → content. Equal for equal input. */
export async function generateConfigDocs(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    // The central knows what each version's agents can be told; those of earlier releases stay as they are.
    [`central/configuration/schemas/${version.split('.').slice(0, 2).join('.')}.json`, managedSchemaText()],
    ...programs.flatMap(({ name, schema, title, introduction }) => {
      const usual = `/etc/picket/${name}.yaml`;
      const how = `A file is YAML at \`${usual}\`, or where \`--config\` says; \`picket-${name} check\` names every mistake with line and column.`;
      const editors = `Editors complete and check it with [${name}.schema.json](${name}.schema.json); [${name}.sample.yaml](${name}.sample.yaml) has every key with its default.`;
      const made = 'This page is generated from the schema; do not edit it.';
      const sample = `Every key of ${usual} with its default. Nothing here is needed. To change a setting, take the # off its line and off the lines that it stands under; lines with ## explain.`;
      return [
        [`docs/${name}-config.md`, markdownText(schema, title, [introduction, how, editors, made].join(' '))],
        [`docs/${name}.sample.yaml`, sampleText(schema, sample)],
        [`docs/${name}.schema.json`, jsonSchemaText(schema, title)],
      ] as const;
    }),
  ]);
}

/** The agent's schema without examples, which nobody is shown. */
function managedSchemaText(): string {
  const lean = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(lean);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).flatMap(([key, item]) =>
        key === 'examples' && Array.isArray(item) ? [] : [[key, lean(item)]],
      ),
    );
  };
  return `${JSON.stringify(lean(agentConfigSchema(inputKinds).toJsonSchema()))}\n`;
}

if (import.meta.main) {
  for (const [path, content] of await generateConfigDocs()) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
}
