import { documentedKeys, inline } from '../../shared/config/document.ts';
import { type AgentCommand, parseOptions } from './context.ts';

export const inputsCommand: AgentCommand = {
  usage: 'inputs [--json]',
  doc: 'Lists what can be measured, whether it is automatic on this machine, and its settings.',
  options: '  --json       for programs',
  async run({ args, kinds, host, stdout }) {
    const { values } = parseOptions(args, { json: { type: 'boolean' } });
    const rows = [...kinds].map(([name, kind]) => ({
      name,
      doc: kind.doc,
      automatic: kind.automatic(host),
      settings: documentedKeys(kind.config),
    }));
    if (values.json) {
      const plain = rows.map(({ settings, ...row }) => ({
        ...row,
        settings: settings.map((key) => ({
          key: key.name,
          doc: key.doc,
          values: key.values,
          default: key.written ?? null,
        })),
      }));
      stdout(`${JSON.stringify(plain, null, 2)}\n`);
      return 0;
    }
    for (const { name, doc, automatic, settings } of rows) {
      stdout(`${name}  ${automatic ? '(automatic here)' : '(only when configured)'}\n  ${doc}\n`);
      for (const key of settings) {
        const fallback =
          key.written === undefined ? (key.required ? ', required' : '') : `, default ${inline(key.written)}`;
        stdout(`    ${key.name}: ${key.doc} (${key.values}${fallback})\n`);
      }
      stdout('\n');
    }
    return 0;
  },
};
