import { expect, test } from 'vitest';
import { agentConfigSchema } from '../../agent/config.ts';
import { inputKinds } from '../../agent/inputs/registry.ts';
import { parseYaml } from '../../shared/config/yaml.ts';
import { shippedRules } from '../../shared/rules/shipped.ts';
import { generateRuleDocs } from './rules.ts';

test('every shipped rule is in the page, and every example is a configuration', async () => {
  const page = (await generateRuleDocs()).get('docs/rules.md')!;
  for (const { id } of shippedRules) expect(page).toContain(`| \`${id}\` |`);
  const examples = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, yaml]) => yaml!);
  expect(examples).toHaveLength(2);
  for (const yaml of examples) expect(parseYaml(yaml, agentConfigSchema(inputKinds))).toMatchObject({ ok: true });
});
