import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { violationsOf } from './tidy.ts';

const root = join(import.meta.dirname, '..');

function sources(): string[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  });
  return listed.split('\n').filter((path) => /\.(ts|tsx|mjs)$/.test(path) && !path.includes('/gen/'));
}

describe('house rules', () => {
  test('hold in the whole tree', () => {
    const found = sources().flatMap((path) => {
      let text: string;
      try {
        text = readFileSync(join(root, path), 'utf8');
      } catch {
        return []; // deleted, not yet committed
      }
      return violationsOf({ path, text });
    });
    expect(found.map(({ path, rule, message }) => `${path} (${rule}): ${message}`)).toEqual([]);
  });

  /** One fixture for each rule, so that a rule that stopped firing is seen. */
  test.each([
    ['folders', 'shared/a.ts', "import { x } from '../agent/b.ts';"],
    ['folders', 'agent/a.ts', "import { x } from '../central/b.ts';"],
    ['folders', 'central/a.ts', "import { x } from '../agent/b.ts';"],
    ['folders', 'agent/a.ts', "import { x } from '../scripts/b.ts';"],
    ['folders', 'agent/a.ts', "const b = await import('../central/b.ts');"],
    ['pages', 'central/web/a.tsx', "import { x } from '../store/level.ts';"],
    ['stages', 'agent/detect.ts', "import { x } from './summarise.ts';"],
    ['registries', 'agent/agent.ts', "import { x } from './inputs/linux/cpu.ts';"],
    ['shared is pure', 'shared/a.ts', "import { readFileSync } from 'node:fs';"],
    ['shared is pure', 'shared/a.ts', "import { createHash } from 'node:crypto';"],
    ['shared is pure', 'shared/a.ts', 'const now = Date.now();'],
    ['length', 'agent/a.ts', 'a;\n'.repeat(401)],
    ['no child process', 'agent/inputs/linux/a.ts', "import { spawn } from 'node:child_process';"],
    ['foreign', 'agent/a.ts', `const path = '/${'home'}/somebody/a';`],
  ])('the rule "%s" fires on %s', (rule, path, text) => {
    expect(violationsOf({ path, text }).map((violation) => violation.rule)).toContain(rule);
  });

  test('what is allowed passes', () => {
    const allowed = [
      {
        path: 'central/web/a.tsx',
        text: "import type { X } from '../store/store.ts';\nimport { y } from '../../shared/wire/b.ts';",
      },
      { path: 'shared/trust/a.ts', text: "import { createHash } from 'node:crypto';" },
      { path: 'agent/agent.ts', text: "import { x } from './detect.ts';" },
    ];
    expect(allowed.flatMap(violationsOf)).toEqual([]);
  });
});
