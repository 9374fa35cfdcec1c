/**
 * The house rules of design.md as code: who may import whom, what shared code may not touch, how long a file may be.
 * Each rule says what to do instead. `tidy.test.ts` runs them over the tree, and over fixtures that must break them.
 */
import { posix } from 'node:path';

export interface SourceFile {
  /** From the project's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

export interface Violation {
  readonly path: string;
  readonly rule: string;
  readonly message: string;
}

const maxLines = 400;

/** Files over the limit, each with its reason. */
const longFiles: ReadonlyMap<string, string> = new Map([]);

/** Modules that nobody else than these may import, and what each folder may import of the project. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  shared: ['shared'],
  agent: ['agent', 'shared'],
  central: ['central', 'shared'],
  scripts: ['scripts', 'shared', 'agent', 'central', 'test'],
  test: ['test', 'scripts', 'shared', 'agent', 'central'],
};

const impureShared = ['shared/transport/', 'shared/trust/'];
const impureBuiltins = new Set(['node:crypto', 'node:zlib']);

/** Files that may wire stages together. */
const wiring =
  /^(agent\/(agent|main)\.ts|agent\/wiring\/|agent\/commands\/|central\/(central|main)\.ts|central\/wiring\/|central\/commands\/)/;

const importPattern = /(?:^|\n)\s*(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)'|import\('([^']+)'\)/g;

interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
  /** Project path, or null for a package. */
  readonly target: string | null;
}

function importsOf(file: SourceFile): Import[] {
  const found: Import[] = [];
  for (const match of file.text.matchAll(importPattern)) {
    const specifier = match[2] ?? match[3] ?? '';
    const target = specifier.startsWith('.') ? posix.join(posix.dirname(file.path), specifier) : null;
    found.push({ specifier, typeOnly: match[1] !== undefined, target });
  }
  return found;
}

function folderOf(path: string): string {
  return path.split('/')[0] ?? '';
}

function isTest(path: string): boolean {
  return path.startsWith('test/') || /\.test\.tsx?$/.test(path);
}

/** A stage is a file right below agent/ that is not wiring. */
function isStage(path: string): boolean {
  return /^agent\/[a-z-]+\.ts$/.test(path) && !wiring.test(path) && path !== 'agent/config.ts';
}

function checkImports(file: SourceFile, report: (rule: string, message: string) => void): void {
  const folder = folderOf(file.path);
  for (const { specifier, typeOnly, target } of importsOf(file)) {
    if (target === null) {
      if (folder === 'shared' && specifier.startsWith('node:') && !isTest(file.path)) {
        const allowed = impureShared.some((prefix) => file.path.startsWith(prefix)) && impureBuiltins.has(specifier);
        if (!allowed) report('shared is pure', `imports ${specifier}; pass what it gives in as an argument`);
      }
      continue;
    }
    if (isTest(file.path)) continue;
    const allowed = mayImport[folder];
    if (allowed !== undefined && !allowed.includes(folderOf(target))) {
      report('folders', `${folder} may not import ${target}; move what both need to shared`);
    }
    if (file.path.startsWith('central/web/') && !target.startsWith('central/web/')) {
      if (!typeOnly && !target.startsWith('shared/wire/')) {
        report('pages', `imports ${target}; pages import shared/wire and types only (import type)`);
      }
    }
    if (isStage(file.path) && isStage(target) && !typeOnly) {
      report('stages', `imports the stage ${target}; wire them in agent/agent.ts, common types live in shared`);
    }
    checkKinds(file.path, target, report);
  }
}

/** Only a registry imports the kinds that it registers. */
function checkKinds(path: string, target: string, report: (rule: string, message: string) => void): void {
  const kinds = [
    { folder: 'agent/inputs/linux/', registry: 'agent/inputs/registry.ts' },
    { folder: 'shared/detect/', registry: 'shared/detect/registry.ts' },
  ];
  for (const { folder, registry } of kinds) {
    const own = path.startsWith(folder) || path === registry;
    if (own || !target.startsWith(folder)) continue;
    if (folder === 'agent/inputs/linux/') report('registries', `imports ${target}; ask ${registry} for the kind`);
  }
}

/** Calls that read a real clock or draw randomness. */
const impurePattern = /\b(Date\.now|performance\.now|Math\.random|randomUUID|randomBytes|process\.hrtime|new Date\(\))/;

/** Paths of somebody's own machine. */
const foreignPattern = /\/(?:home|Users|work|workspace)\/[\w-]+\//;

export function violationsOf(file: SourceFile): Violation[] {
  const found: Violation[] = [];
  const report = (rule: string, message: string): void => {
    found.push({ path: file.path, rule, message });
  };
  checkImports(file, report);
  const lines = file.text.trimEnd().split('\n').length;
  if (lines > maxLines && !longFiles.has(file.path) && !isTest(file.path)) {
    report('length', `${lines} lines; split it, one idea a file (at most ${maxLines})`);
  }
  if (file.path.startsWith('shared/') && !isTest(file.path)) {
    const impure = impurePattern.exec(file.text);
    if (impure !== null)
      report('shared is pure', `uses ${impure[0]}; take a clock or a source of randomness as an argument`);
  }
  if (foreignPattern.test(file.text))
    report('foreign', 'names a path of one machine; the project speaks of itself alone');
  if (file.path.startsWith('agent/inputs/linux/') && /child_process/.test(file.text) && !isTest(file.path)) {
    report('no child process', 'an input on the sampling path reads files; it starts no program');
  }
  return found;
}
